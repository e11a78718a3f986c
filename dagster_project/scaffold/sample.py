"""A sample in the shape of an example and none of its values, to be edited.

Two records with addresses at example.com; words are those of event, status and verdict
columns, moments and counts are made up.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from dagster_project.mapping.canonical import FIELDS, HAS_PERSON, REASON
from dagster_project.scaffold.example import Leaf
from dagster_project.scaffold.guessed import Guessed
from dagster_project.scaffold.shapes import Shape

_PEOPLE = ("reader.one@example.com", "reader.two@example.com")
_MOMENT = datetime(2026, 10, 1, 9, tzinfo=UTC)
_COUNTS = {
    "sent_count": 1000,
    "delivered_count": 990,
    "hard_bounce_count": 4,
    "soft_bounce_count": 6,
    "bounce_count": 10,
    "unsubscribe_count": 3,
    "complaint_count": 1,
    "unique_open_count": 300,
    "human_open_count": 250,
    "unique_click_count": 40,
}
_DERIVED: dict[str, tuple[str, ...]] = {
    "message_events": (),
    "campaign_stats": ("exported_at", "time_basis", "delivered_how"),
    "contact_snapshots": ("exported_at",),
    "list_validations": ("verified_at", "verified_at_basis", "is_mapped"),
    "domain_reputation": (),
}


def sample_name(guessed: Guessed) -> str:
    """The suffix of its file."""
    example = guessed.example
    if example.layout == "table":
        return "tsv" if example.delimiter == "\t" else "csv"
    return example.layout


def sample_text(guessed: Guessed) -> str:
    """Two records as the file would hold them."""
    example = guessed.example
    if example.layout == "table":
        content = io.StringIO()
        writer = csv.writer(content, delimiter=example.delimiter, lineterminator="\n")
        writer.writerow([leaf.name for leaf in example.leaves])
        for number in range(2):
            writer.writerow([_cell(guessed, name, number) for name in guessed.inputs])
        return content.getvalue()
    records = [_record(guessed, number) for number in range(2)]
    if example.layout == "ndjson":
        lines = (json.dumps(record, ensure_ascii=False) for record in records)
        return "".join(f"{line}\n" for line in lines)
    document: Any = records
    if example.items:
        for key in reversed(_keys(example.items)):
            document = {key: document}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def expected_text(guessed: Guessed) -> str:
    """The header of the rows they must become; the rows are its author's to derive."""
    filled = {*guessed.fields, *_DERIVED[guessed.lands]}
    if guessed.event:
        filled.add("event_type")
    if any(getattr(meaning, "bounce_class", None) for meaning in guessed.words.known):
        filled.add("bounce_class")
    if guessed.lands == "list_validations":
        filled.add("provider")
    names = ["address"] if guessed.lands in HAS_PERSON else []
    names += [c.name for c in FIELDS[guessed.lands] if c.name in filled]
    names += [name for name in _DERIVED[guessed.lands] if name not in names]
    if guessed.rate:
        names.append("vendor_unsubscribe_rate_half_unit_pct")
        names += ["vendor_rate_base"] if guessed.rate[1] else []
    if guessed.reason:
        names += [c.name for c in REASON if c.name != "reason_option_set"]
    return ",".join([*names, "note"]) + "\n"


# -- values ------------------------------------------------------------------------


def _cell(guessed: Guessed, name: str, number: int) -> str:
    """A text of the same shape as the input's."""
    leaf, shape = guessed.inputs[name], guessed.shapes[name]
    field = next((f for f, given in guessed.fields.items() if given == name), "")
    if field in _COUNTS:
        return str(_COUNTS[field])
    if guessed.rate and name == guessed.rate[0]:
        return _rate(guessed, shape)
    if told := _word(guessed, name, number):
        return told
    return _like(leaf, shape, number, guessed.style[1])


def _word(guessed: Guessed, name: str, number: int) -> str:
    """The vendor's own word, of the one column whose words are no data."""
    listed = [words[0] for words in guessed.words.known.values()]
    if name != guessed.telling or not listed:
        return ""
    wanted = listed[number % len(listed)]
    texts = guessed.inputs[name].values
    return next(text for text in texts if text.lower() == wanted)


def _rate(guessed: Guessed, shape: Shape) -> str:
    base = guessed.rate[1] if guessed.rate else None
    over = _COUNTS[f"{base}_count"] if base else _COUNTS["delivered_count"]
    rate = _COUNTS["unsubscribe_count"] / over * (1 if guessed.is_fraction else 100)
    text = f"{rate:.5f}" if guessed.is_fraction else f"{rate:.2f}"
    text = text.replace(".", guessed.style[1])
    return f"{text}%" if shape.has_percent_signs else text


def _like(leaf: Leaf, shape: Shape, number: int, decimal: str) -> str:
    match shape.kind:
        case "address":
            return _PEOPLE[number]
        case "time":
            return _moment(leaf, shape, number)
        case "flag":
            return "true" if "true" in {text.lower() for text in leaf.values} else "yes"
        case "count":
            return str(number + 1)
        case "number" | "percent":
            sign = "%" if shape.has_percent_signs else ""
            return f"{number + 1}{decimal}5{sign}"
        case "empty":
            return ""
    return f"edit me {number + 1}"


def _moment(leaf: Leaf, shape: Shape, number: int) -> str:
    moment = _MOMENT + timedelta(hours=number)
    written = shape.formats[0] if shape.formats else "iso"
    if written == "unix_seconds":
        return str(int(moment.timestamp()))
    if written == "unix_milliseconds":
        return str(int(moment.timestamp() * 1000))
    if written != "iso":
        return moment.strftime(written)
    example = leaf.values[0]
    if len(example) == len("2026-10-01"):
        return moment.strftime("%Y-%m-%d")
    mark = {"in_value": "Z", "UTC": " UTC"}.get(shape.zone, "")
    return moment.strftime(f"%Y-%m-%d{example[10]}%H:%M:%S") + mark


# -- JSON --------------------------------------------------------------------------


def _record(guessed: Guessed, number: int) -> Any:
    by_path = {leaf.path: name for name, leaf in guessed.inputs.items()}
    record = _imitated(guessed, guessed.example.shape, "$", by_path, number)
    if guessed.example.unwrap:
        text = json.dumps(record, ensure_ascii=False)
        return {_keys(guessed.example.unwrap)[-1]: text}
    return record


def _imitated(
    guessed: Guessed, value: Any, path: str, by_path: dict[str, str], number: int
) -> Any:
    """The same nesting with made-up texts; what no input stands for is left out."""
    record: dict[str, Any] = {}
    for key, inner in value.items():
        quoted, bare = f'{path}."{key}"', f"{path}.{key}"
        below = quoted if quoted in by_path else bare
        outer = next((p for p in (quoted, bare) if _is_above(p, by_path)), None)
        if isinstance(inner, dict) and outer:
            record[key] = _imitated(guessed, inner, outer, by_path, number)
        elif below in by_path:
            record[key] = _imitated_leaf(guessed, by_path[below], inner, number)
    return record


def _is_above(path: str, paths: Iterable[str]) -> bool:
    return any(known.startswith(f"{path}.") for known in paths)


def _imitated_leaf(guessed: Guessed, name: str, inner: Any, number: int) -> Any:
    leaf = guessed.inputs[name]
    if leaf.holds == "objects":
        return [
            {
                entry.name: _PEOPLE[number]
                if any("@" in text for text in entry.values)
                else f"edit me {number + 1}"
                for entry in leaf.inner
                if entry.path.count(".") == 1
            }
        ]
    text = _cell(guessed, name, number)
    if leaf.holds == "texts":
        return [text] if text else []
    if isinstance(inner, bool):
        return text.lower() in ("true", "yes")
    if inner is None or not text:
        return None
    if isinstance(inner, int | float) or _is_number(guessed, name, inner):
        return json.loads(text) if text.replace(".", "", 1).isdigit() else text
    return text


def _is_number(guessed: Guessed, name: str, inner: Any) -> bool:
    """Numbers of the example were kept as text; ids in quotes look the same."""
    shape = guessed.shapes[name]
    is_numeric = shape.kind in ("count", "number", "percent") or "unix" in "".join(
        shape.formats
    )
    return is_numeric and str(inner).isdigit()


def _keys(path: str) -> list[str]:
    return [key.strip('"') for key in path.removeprefix("$.").split(".")]
