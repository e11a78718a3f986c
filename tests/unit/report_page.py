"""The page as a browser would see it, drawn from marts made up for it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from dagster_project.report import build_report, page
from tests.unit.report_marts import write_marts


class Seen(HTMLParser):
    """What a browser would see: elements, text, scripts."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
        if tag in ("script", "style"):
            self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif not self._inside:
            self.words.append(data)

    @property
    def text(self) -> str:
        """Everything readable, on one line."""
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def figures(self) -> dict[str, Any]:
        """The data of the charts."""
        place = [a.get("id") for a in self.all("script")].index("figures")
        return json.loads(self.scripts[place])


def html_of(
    folder: Path,
    rows: dict[str, list[dict[str, Any]]],
    plotly: str | None = "let Plotly;",
) -> str:
    """The page; without plotly's five megabytes unless they matter."""
    target = folder / "report" / "index.html"
    marts = write_marts(folder / "marts.duckdb", rows)
    with pytest.MonkeyPatch.context() as patch:
        if plotly is not None:
            patch.setattr(page, "plotly_script", lambda: plotly)
        build_report(marts, target)
    return target.read_text(encoding="utf-8")


def seen(folder: Path, rows: dict[str, list[dict[str, Any]]]) -> Seen:
    return Seen(html_of(folder, rows))
