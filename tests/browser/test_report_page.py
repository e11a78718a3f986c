"""The page in a real browser: it draws, sorts, fits a phone, and asks nobody anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dagster_project.report import build_report
from tests.browser.conftest import Chromium
from tests.unit.report_marts import write_marts, year_of_marts

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with plotly and every kind of row."""
    folder = tmp_path_factory.mktemp("report")
    build_report(
        write_marts(folder / "marts.duckdb", year_of_marts()), folder / "p.html"
    )
    return folder / "p.html"


def with_script(report: Path, folder: Path, script: str) -> Path:
    """The same page with a script of the test's own, which its policy would forbid."""
    html = report.read_text(encoding="utf-8")
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    probed = folder / "probed.html"
    probed.write_text(
        html.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8"
    )
    return probed


def test_every_open_chart_is_drawn_and_nothing_complains(
    chromium: Chromium, report: Path
) -> None:
    visit = chromium.visit(report)
    # the weeks of an account, three streams, the content of one, reasons by month, three
    # charts of the account's lists, and who stays by source and method; those of its two
    # single lists wait, folded.
    assert visit.dom.count('data-drawn="yes"') == 1 + 3 + 1 + 1 + 3 + 2
    assert visit.dom.count('class="main-svg"') >= 11
    assert "CONSOLE" not in visit.said


def test_a_name_that_is_a_script_does_not_run(chromium: Chromium, report: Path) -> None:
    dom = chromium.visit(report).dom
    assert "<title>Who left, why, and what it costs the list</title>" in dom
    assert "&lt;script&gt;document.title" in dom


def test_the_policy_stops_a_script_that_slipped_in(
    chromium: Chromium, report: Path, tmp_path: Path
) -> None:
    html = report.read_text(encoding="utf-8")
    slipped = tmp_path / "slipped.html"
    intruder = "<script>document.title='owned'</script>"
    slipped.write_text(html.replace("</body>", f"{intruder}</body>"), encoding="utf-8")
    visit = chromium.visit(slipped)
    assert "<title>owned" not in visit.dom
    assert "Content Security Policy" in visit.said


def test_the_page_asks_nobody_for_anything(chromium: Chromium, report: Path) -> None:
    assert chromium.requests(report) == set()


def test_a_page_that_asks_would_be_noticed(chromium: Chromium, tmp_path: Path) -> None:
    asking = tmp_path / "asking.html"
    asking.write_text("<img src='http://127.0.0.1:9/pixel.gif'>", encoding="utf-8")
    assert chromium.requests(asking) == {"http://127.0.0.1:9/pixel.gif"}


def test_a_table_sorts_both_ways_and_unknown_stays_last(
    chromium: Chromium, report: Path, tmp_path: Path
) -> None:
    script = """
      const table = document.getElementById('stream-1-table');
      const column = () => [...table.tBodies[0].rows].map((row) =>
        (row.cells[3].dataset.value ?? '') || 'unknown').join(' ');
      const button = table.querySelectorAll('th button')[3];
      button.click(); const falling = column();
      button.click(); const rising = column();
      document.body.dataset.falling = falling;
      document.body.dataset.rising = rising;
    """
    dom = chromium.visit(with_script(report, tmp_path, script)).dom
    for name, reverse in (("falling", True), ("rising", False)):
        found = re.search(f'data-{name}="([^"]*)"', dom)
        assert found is not None
        values = found[1].split()
        numbers = [float(value) for value in values if value != "unknown"]
        assert len(numbers) == 45
        assert numbers == sorted(numbers, reverse=reverse)
        assert values[-2:] == ["unknown", "unknown"]


def test_a_long_table_is_folded_and_unfolds(
    chromium: Chromium, report: Path, tmp_path: Path
) -> None:
    script = """
      const table = document.getElementById('stream-1-table');
      const shown = () => [...table.tBodies[0].rows].filter((row) => !row.hidden).length;
      const folded = shown();
      document.querySelector('button.unfold').click();
      document.body.dataset.shown = `${folded} then ${shown()}`;
    """
    dom = chromium.visit(with_script(report, tmp_path, script)).dom
    assert 'data-shown="6 then 47"' in dom


def test_a_phone_needs_no_sideways_scrolling(
    chromium: Chromium, report: Path, tmp_path: Path
) -> None:
    # A frame, because a headless window has a least width of its own.
    script = """
      addEventListener('load', () => setTimeout(() => parent.postMessage(
        `${innerWidth} ${document.documentElement.scrollWidth}`, '*'), 3000));
    """
    probed = with_script(report, tmp_path, script)
    phone = tmp_path / "phone.html"
    phone.write_text(
        f"<iframe src='{probed.as_uri()}' style='width:390px;height:8000px;border:0'>"
        "</iframe><script>addEventListener('message', (message) => {"
        " document.body.dataset.widths = message.data; });</script>",
        encoding="utf-8",
    )
    assert 'data-widths="390 390"' in chromium.visit(phone).dom


@pytest.mark.parametrize(
    ("option", "paper"),
    [
        pytest.param((), "252, 251, 248", id="light"),
        pytest.param(
            ("--blink-settings=preferredColorScheme=0",), "21, 24, 27", id="dark"
        ),
    ],
)
def test_the_page_follows_the_readers_light_or_dark(
    chromium: Chromium,
    report: Path,
    tmp_path: Path,
    option: tuple[str, ...],
    paper: str,
) -> None:
    script = """
      document.body.dataset.paper = getComputedStyle(document.body).backgroundColor;
    """
    dom = chromium.visit(with_script(report, tmp_path, script), *option).dom
    assert f'data-paper="rgb({paper})"' in dom


def test_the_picture_is_not_blank(
    chromium: Chromium, report: Path, tmp_path: Path
) -> None:
    picture = chromium.photograph(report, tmp_path / "page.png")
    # An empty window of this size is a picture of some 20 kB.
    assert picture.stat().st_size > 150_000


def test_empty_marts_open_without_a_complaint(
    chromium: Chromium, tmp_path: Path
) -> None:
    page = tmp_path / "empty.html"
    build_report(write_marts(tmp_path / "marts.duckdb", {}), page)
    visit = chromium.visit(page)
    assert "Nothing has been published" in visit.dom
    assert "CONSOLE" not in visit.said
