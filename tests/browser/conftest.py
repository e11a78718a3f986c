"""A real browser, driven by command line: what a page becomes once it has run."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

WAIT_SECONDS = 120
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


@dataclass(frozen=True)
class Visit:
    """What a visit left behind: the page as it ended, and what the browser said."""

    dom: str
    said: str


@dataclass(frozen=True)
class Chromium:
    """Each visit has a fresh profile; nothing is remembered and no host is found."""

    program: str
    folder: Path

    def visit(self, page: Path, *options: str, width: int = 1400) -> Visit:
        """Open a page in a window tall enough to show all of it, and let it run."""
        done = self._run(
            page, "--dump-dom", "--enable-logging=stderr", *options, width=width
        )
        return Visit(done.stdout, done.stderr)

    def photograph(self, page: Path, target: Path, width: int = 1400) -> Path:
        """A picture of the page."""
        self._run(page, f"--screenshot={target}", width=width, height=3000)
        return target

    def requests(self, page: Path) -> set[str]:
        """What a page and everything in it asked for, the page itself left out."""
        log = self.folder / "network.json"
        self._run(page, "--dump-dom", f"--log-net-log={log}")
        asked = json.loads(log.read_text(encoding="utf-8"))["events"]
        wanted = (event.get("params", {}) for event in asked)
        # The browser's own errands have no initiator; a page's always have one.
        return {
            str(params["url"])
            for params in wanted
            if "url" in params
            and params.get("initiator", "").startswith(("file", "null"))
        } - {page.as_uri()}

    def _run(
        self, page: Path, *options: str, width: int = 1400, height: int = 18000
    ) -> subprocess.CompletedProcess[Any]:
        profile = self.folder / "profile"
        shutil.rmtree(profile, ignore_errors=True)
        return subprocess.run(
            [
                self.program,
                *QUIET,
                f"--user-data-dir={profile}",
                f"--window-size={width},{height}",
                "--virtual-time-budget=60000",
                *options,
                page.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=True,
        )


@pytest.fixture
def chromium(tmp_path: Path) -> Chromium:
    """The browser, or a skipped test where there is none."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    folder = tmp_path / "chromium"
    folder.mkdir()
    return Chromium(program, folder)
