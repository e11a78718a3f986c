"""The walk of ``docs/add-a-source.md``, step by step as it is written there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.settings import PROJECT_ROOT, SOURCES

DOC = PROJECT_ROOT / "docs" / "add-a-source.md"
TEXT = DOC.read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:<!-- (\w+): (\S+) -->\n)?```(\w+)\n(.*?)```", re.DOTALL)
KEY = re.compile(r"\b[0-9a-f]{8}[.]{3}")
_MOMENT = 1790845200  # 2026-10-01T09:00:00Z
_CONFORMANCE = """\
import sys
from pathlib import Path
import dagster_project.settings as settings
settings.SOURCES = Path(sys.argv[1])
import pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[2:]]))
"""


def shown(text: str) -> str:
    """A text as a page shows it: columns as wide as they are, persons' keys alike."""
    lines = (re.sub(r"(?<=\S)  +", "  ", line.rstrip()) for line in text.splitlines())
    return KEY.sub("0123abcd", "\n".join(lines).strip("\n"))


def is_told(output: str, page: str) -> bool:
    """Whether an output is what the page says, where ``...`` is anything."""
    wanted = re.escape(shown(page)).replace(re.escape("..."), ".*")
    return re.fullmatch(wanted, shown(output), re.DOTALL) is not None


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty desk with a `sources` folder that holds what everybody has."""
    shutil.copytree(SOURCES / "generic", tmp_path / "sources" / "generic")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPTOUT_NOW", "2026-11-01T00:00:00Z")
    for module in ("cli", "scaffold", "inspection.look"):
        monkeypatch.setattr(f"dagster_project.{module}.SOURCES", Path("sources"))
    return tmp_path


def test_every_step_gives_what_the_page_shows(desk: Path) -> None:
    ran = []
    for kind, name, language, content in BLOCK.findall(TEXT):
        if kind == "drafted":
            drafted = Path("sources/pigeon", name).read_text(encoding="utf-8")
            assert is_told(drafted, content), drafted
        elif kind == "file":
            Path(name).write_text(content, encoding="utf-8")
            os.utime(name, (_MOMENT, _MOMENT))
        elif language == "console":
            command, _, output = content.partition("\n")
            ran.append(command)
            if command.startswith("$ optout "):
                arguments = shlex.split(command)[2:]
                done = CliRunner().invoke(app, arguments)
                assert is_told(done.output, output), done.output
    assert len(ran) == len(re.findall(r"^\$ ", TEXT, re.MULTILINE)) == 5
    assert ran[-1] == '$ make test ARGS="tests/sources -k pigeon"'
    environment = os.environ | {"PYTHONPATH": str(PROJECT_ROOT)}
    environment = {k: v for k, v in environment.items() if k != "OPTOUT_NOW"}
    proved = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-c", _CONFORMANCE),
            *(str(desk / "sources"), "tests/sources/test_conformance.py"),
            *("-k", "pigeon"),
        ],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert proved.returncode == 0, proved.stdout[-3000:]
    assert "passed" in proved.stdout


def test_a_mistake_is_told_as_the_page_says(desk: Path) -> None:
    found = re.search(r"<!-- mistake: (.+) -> (.+) -->\n```text\n(.*)\n```", TEXT)
    assert found is not None
    right, wrong, told = found.groups()
    mapping = next(
        content
        for _, name, _, content in BLOCK.findall(TEXT)
        if "source.yaml" in name and "!confirm" not in content
    )
    assert right in mapping
    Path("sources/pigeon").mkdir()
    broken = mapping.replace(right, wrong)
    Path("sources/pigeon/source.yaml").write_text(broken, encoding="utf-8")
    done = CliRunner().invoke(app, ["sources"])
    assert done.exit_code == 2
    assert done.output.strip() == told


def test_the_commands_of_the_page_are_those_of_the_makefile() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    assert "make new-source NAME=pigeon FROM=activity.csv" in TEXT
    assert "optout new-source $(NAME) $(if $(FROM),--from $(FROM))" in makefile


def test_options_on_the_page_exist() -> None:
    told = [
        CliRunner().invoke(app, [name, "--help"]) for name in ("inspect", "sources")
    ]
    options = "".join(done.output for done in told)
    named = set(re.findall(r"`(?:optout \w+ )?(--[a-z]+)`", TEXT))
    assert named
    assert [option for option in named if option not in options] == []
