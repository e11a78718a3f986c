"""The page: what goes where, written as one file in one step.

Nothing is loaded from anywhere when the page is opened: styles, scripts, plotly and the
data of every chart are inside, and a content security policy forbids the rest, so that
a name which looks like markup could not run even if it were not escaped.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dagster_project.report import findings, words
from dagster_project.report.chapters import (
    accounting,
    addresses,
    afterwards,
    changes,
    content,
    decay,
    diagnoses,
    frequency,
    head,
    honoured,
    judging,
    mailboxes,
    origins,
    readers,
    reasons,
    retention,
    sends,
    trust,
    unusual,
    week,
)
from dagster_project.report.charts import Figure
from dagster_project.report.queries import Frames, read_frames
from dagster_project.report.rows.sends import Band

TEMPLATES = Path(__file__).parent / "templates"


def build_report(marts: Path, target: Path) -> None:
    """Write the page of the published marts, whole or not at all.

    Args:
        marts: the published DuckDB file.
        target: the page; the one before is replaced in one step.

    Raises:
        FileNotFoundError: when nothing has been published yet.
    """
    page = render(read_frames(marts))
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as writer:
            writer.write(page)
            writer.flush()
            os.fsync(writer.fileno())
        Path(fresh).replace(target)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


def render(frames: Frames) -> str:
    """The page as text: the same for the same marts."""
    figures: dict[str, Figure] = {}
    sections = _sections(frames, figures)
    plotly = plotly_script()
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    return (
        _environment(frames.bands)
        .get_template("page.html.j2")
        .render(
            sections,
            style=(TEMPLATES / "page.css").read_text(encoding="utf-8"),
            plotly=plotly if figures else "",
            script=script,
            script_hashes=[_csp_hash(text) for text in (plotly, script)],
            figures=_inert_json(figures),
        )
    )


def plotly_script() -> str:
    """The script that draws; importing plotly costs a moment, so only here."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _environment(bands: Sequence[Band]) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "share": words.share,
        "amount": trust.amount,
        "interval": words.interval,
    }
    environment.filters |= {
        "percent": partial(words.percent, edges=_edges(bands)),
        "count": words.count,
        "day": words.day,
        "month": words.month,
        "number": words.number,
        "growth": words.growth,
        "compact": words.compact,
        "known": _known,
        "spelled_out": words.spelled_out,
        "days": words.days,
        "times": words.times,
        "list_name": words.list_name,
    }
    return environment


def _known(value: float | None) -> str:
    """A number for the table's sorter; empty sorts last."""
    return "" if value is None else f"{value:.10g}"


def _csp_hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _inert_json(figures: Mapping[str, Figure]) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(figures, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _edges(bands: Sequence[Band]) -> list[float]:
    """Where one severity band becomes the next."""
    return [b.lower_pct for b in bands if b.kind == "severity" and b.lower_pct]


def _sections(frames: Frames, figures: dict[str, Figure]) -> dict[str, Any]:
    """Everything the template shows, chapter by chapter; draws into ``figures``."""
    severity = [band for band in frames.bands if band.kind == "severity"]
    streams = findings.streams(frames)
    anchors = {
        stream.stream_id: f"stream-{place}"
        for place, stream in enumerate(streams[: sends.CHARTED_STREAMS], start=1)
    }
    accounts = findings.histories(frames.decay, frames.decay_summaries)
    newest = [row for row in frames.reasons if row.period_kind == "rolling_12_months"]
    totals = findings.reason_totals(newest)
    return {
        "build_id": frames.build_id,
        "is_empty": not (frames.sends or frames.decay or newest),
        "week": week.chapter(frames, figures),
        "bands": head.judged_bands(severity),
        "head": head.chapter(frames, streams, severity, accounts, totals),
        "findings": diagnoses.chapter(frames, streams, anchors),
        "changes": changes.chapter(frames, streams),
        "unusual": unusual.chapter(frames, streams, anchors),
        "content": content.chapter(frames, streams, figures),
        "sends": sends.chapter(frames, streams, severity, figures),
        "judging": judging.chapter(frames),
        "reasons": reasons.chapter(frames, totals, figures),
        "decay": decay.chapter(accounts, findings.reference(frames.bands), figures),
        "afterwards": afterwards.chapter(frames),
        "retention": retention.chapter(frames, figures),
        "origins": origins.chapter(frames),
        "frequency": frequency.chapter(frames),
        "readers": readers.chapter(frames),
        "addresses": addresses.chapter(frames),
        "honoured": honoured.chapter(frames),
        "mailboxes": mailboxes.chapter(frames),
        "trust": trust.chapter(frames),
        "accounting": accounting.chapter(frames),
    }
