"""How an export writes moments, numbers and rates, and which inputs fill each other.

One zone and one way of numbers count for a whole export; what contradicts it is left
to its owner.
"""

from __future__ import annotations

from dagster_project.mapping.canonical import FIELDS
from dagster_project.scaffold.guessed import Guessed
from dagster_project.scaffold.shapes import is_number, number_style
from dagster_project.scaffold.words import name_score, synonyms


def first_of(found: Guessed, name: str, kind: str) -> list[str]:
    """An input, and behind it those like it that speak where it is silent."""
    silent = {n for n, cell in enumerate(found.inputs[name].cells) if not cell}
    names = [name]
    unwanted = synonyms()["not_address"]
    others = [
        other
        for other, shape in found.shapes.items()
        if shape.kind == kind
        and shape.zone == found.shapes[name].zone
        and found.inputs[other].holds == "text"
        and (kind != "address" or not name_score(found.inputs[other], unwanted))
    ]
    while silent and others:
        told = {
            other: {n for n in silent if found.inputs[other].cells[n]}
            for other in others
        }
        best = max(others, key=lambda other: len(told[other]))
        if not told[best]:
            break
        names.append(best)
        silent -= told[best]
        others.remove(best)
    return names


def settle_moments(found: Guessed) -> None:
    """One zone for all; a field whose times are of another kind is left out."""
    moments = {
        column.name: found.shapes[found.fields[column.name]]
        for column in FIELDS[found.lands]
        if column.kind == "time" and found.fields.get(column.name) in found.shapes
    }
    required = [column.name for column in FIELDS[found.lands] if column.required]
    first = next((name for name in required if name in moments), None)
    first = first or next(iter(moments), None)
    if first is None:
        return
    zone = moments[first].zone
    for name, shape in moments.items():
        if shape.zone != zone:
            del found.fields[name]
            continue
        for entry in shape.formats:
            if entry not in found.formats:
                found.formats.append(entry)
        if not shape.formats and "iso" not in found.formats:
            found.formats.append("iso")
    found.zone = zone
    _fill_silent_moments(found, first)
    if found.formats == ["iso"]:
        found.formats = []


def _fill_silent_moments(found: Guessed, column: str) -> None:
    """Where each kind of record keeps its moment elsewhere, all of them."""
    parts = first_of(found, found.fields[column], "time")
    if len(parts) == 1:
        return
    found.let["moment"] = f"coalesce({', '.join(parts)})"
    found.fields[column] = "moment"
    for part in parts:
        for entry in found.shapes[part].formats or ("iso",):
            if entry not in found.formats:
                found.formats.append(entry)


def settle_numbers(found: Guessed) -> None:
    """How numbers are written, and what the printed rate is divided by."""
    numeric = [
        name
        for column in FIELDS[found.lands]
        if column.kind in ("count", "percent", "number")
        and (name := found.fields.get(column.name)) in found.shapes
        and name is not None
    ]
    texts = [text for name in numeric for text in found.inputs[name].values]
    found.style = number_style(texts)
    if found.rate is None:
        return
    rate = found.rate[0]
    is_signed = found.shapes[rate].has_percent_signs
    scales = (("percent", 100.0),) if is_signed else (("percent", 100.0), ("", 1.0))
    for scale, factor in scales:
        for base in ("delivered", "sent"):
            if _explains(found, rate, base, factor):
                found.rate = (rate, base)
                found.is_fraction = not scale
                return


def _explains(found: Guessed, rate: str, base: str, factor: float) -> bool:
    """Whether the counts over a base give the printed rate, in every row that tells."""
    names = [
        found.fields.get("unsubscribe_count"),
        found.fields.get(f"{base}_count"),
        rate,
    ]
    if not all(name in found.inputs for name in names):
        return False
    columns = [found.inputs[str(name)].cells for name in names]
    told = 0
    for left, divisor, printed in zip(*columns, strict=True):
        if not (left and divisor and printed):
            continue
        parts = [_value(text, found.style) for text in (left, divisor, printed)]
        if None in parts or not parts[1]:
            continue
        count, over, says = (float(part or 0) for part in parts)
        digits = printed.rstrip("% ").rpartition(found.style[1])
        half = 0.5 / 10 ** len(digits[2]) if digits[1] else 0.5
        if abs(factor * count / over - says) > half * 1.0001:
            return False
        told += count > 0
    return told > 0


def _value(text: str, style: tuple[str | None, str]) -> float | None:
    if not is_number(text, style):
        return None
    plain = text.rstrip("% ").replace(style[0] or "", "")
    return float(plain.replace(style[1], "."))
