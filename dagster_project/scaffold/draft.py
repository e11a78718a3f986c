"""A guess as the text of a ``source.yaml``: every guess tagged, every column listed.

Holds names of columns and words of event, status and verdict columns; no other value
of the example.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from dagster_project.mapping.canonical import FIELDS
from dagster_project.mapping.document import GUESS
from dagster_project.mapping.schema import MODELINE
from dagster_project.scaffold.guess import is_one_of
from dagster_project.scaffold.guessed import Guessed
from dagster_project.scaffold.words import Meaning

_WIDTH = 80
_PLAIN = re.compile(r"[A-Za-z_$][\w $./%-]*")
_SPECIAL = frozenset(["true", "false", "yes", "no", "on", "off", "null", "y", "n", "~"])
_INTRO = """\
{modeline}
# Drafted from an export. Every {guess} marks a guess: check it, then remove the tag;
# the mapping is not loaded before. What is wrong, change; what is not needed, delete.
# `optout inspect FILE --source {name}` shows what it gives, guesses included.
# The mapping on one page: ../README.md.
source: {name}
kind: {guess} {kind}   # esp, validator, contacts, mailbox_provider, any
title: {guess} {title}
notes: {guess} >
  Where the vendor defines these columns, where it was read, and what surprised you.

exports:
"""


def draft(name: str, exports: list[Guessed]) -> str:
    """The text of the mapping."""
    lands = {export.lands for export in exports}
    kinds = {
        frozenset({"list_validations"}): "validator",
        frozenset({"contact_snapshots"}): "contacts",
    }
    intro = _INTRO.format(
        modeline=MODELINE,
        guess=GUESS,
        name=name,
        kind=kinds.get(frozenset(lands), "esp"),
        title=name.replace("_", " ").title(),
    )
    return intro + "\n".join(
        "".join(f"{line}\n".replace("    \n", "\n") for line in _export(name, export))
        for export in exports
    )


def scalar(text: str) -> str:
    """A text as YAML, in quotes where anything in it could mean something else."""
    if _PLAIN.fullmatch(text) and text == text.strip() and text.lower() not in _SPECIAL:
        return text
    return json.dumps(text, ensure_ascii=False)


def _export(source: str, export: Guessed) -> Iterator[str]:
    member = export.example.member
    yield f"  - name: {GUESS} {export.name}" + (f"   # {member}" if member else "")
    yield f"    lands: {GUESS} {export.lands}   # or another table of ../README.md"
    yield from _reader(export)
    yield from _numbers(export)
    yield from _times(export)
    yield from _inputs(export)
    named = ({"people": export.people} if export.people else {}) | export.let
    if named:
        yield "    let:"
    for name, sql in named.items():
        yield f"      {name}: {GUESS} {_folded(sql)}"
    if export.lands != "campaign_stats":
        yield f"    address: {GUESS} {export.address or chr(34) * 2}"
    yield from _fields(source, export)
    if export.lands == "message_events":
        yield from _events(export)
    if export.lands == "campaign_stats":
        yield from _basis(export)
    if export.reason:
        yield "    reasons:"
        yield f"      value: {GUESS} {export.reason}"
        yield "      # How the vendor words each reason: one of ours."
        yield "      options: {}"


def _reader(export: Guessed) -> Iterator[str]:
    example = export.example
    formats = {"table": "tsv" if example.delimiter == "\t" else "csv"}
    yield "    reader:"
    yield f"      formats: {formats.get(example.layout, example.layout)}"
    if example.layout == "table" and example.delimiter not in (",", "\t"):
        yield f"      delimiter: {json.dumps(example.delimiter)}"
    if example.encoding != "utf-8":
        yield f"      encodings: {GUESS} [utf-8, {example.encoding}]"
    if example.items:
        yield f"      items: {scalar(example.items)}"
    if example.unwrap:
        yield f"      unwrap: {scalar(example.unwrap)}"
    if export.people:
        yield f"      explode: {GUESS} people   # one row an element, `item`"


def _numbers(export: Guessed) -> Iterator[str]:
    thousands, decimal = export.style
    parts = [f"thousands: {json.dumps(thousands)}"] if thousands else []
    parts += [f"decimal: {json.dumps(decimal)}"] if decimal != "." else []
    parts += ["percent: fraction"] if export.is_fraction else []
    if parts:
        yield f"    numbers: {GUESS} {{ {', '.join(parts)} }}"


def _times(export: Guessed) -> Iterator[str]:
    if not (export.formats or export.zone != "in_value"):
        return
    zone = export.zone or "account"
    tag = "" if zone == "in_value" else f"{GUESS} "
    formats = ", ".join(json.dumps(entry) for entry in export.formats)
    listed = f", formats: {GUESS} [{formats}]" if formats else ""
    yield f"    times: {{ zone: {tag}{zone}{listed} }}"
    if zone == "account":
        yield "    # The file names no zone: account is the one its owner declares; an"
        yield "    # IANA name only where the vendor documents it."


def _inputs(export: Guessed) -> Iterator[str]:
    yield "    inputs:" if export.inputs else "    inputs: {}"
    used = export.used
    unread = [name for name in export.inputs if name not in used]
    for name in (name for name in export.inputs if name in used):
        yield from _input(export, name)
    if unread:
        yield "      # Read by nothing below: map them or delete them."
        for name in unread:
            yield from _input(export, name)


def _input(export: Guessed, name: str) -> Iterator[str]:
    leaf, shape = export.inputs[name], export.shapes[name]
    place = (
        f"path: {scalar(leaf.path)}" if leaf.path else f"column: {scalar(leaf.name)}"
    )
    required = f", required: {GUESS} true" if name in export.required else ""
    told = shape.told()
    if leaf.holds == "texts":
        told = "a list of texts, as JSON"
    if leaf.holds == "objects":
        keys = ", ".join(inner.name for inner in leaf.inner)
        told = f"a list of objects ({keys}): see `explode`"
    yield f"      {name}: {{ {place}{required} }}   # {told}"


def _fields(source: str, export: Guessed) -> Iterator[str]:
    given = dict(export.fields)
    if export.lands == "list_validations":
        given |= {"provider": f"'{source}'"}
    order = [column.name for column in FIELDS[export.lands]]
    if not given and not export.missing:
        return
    yield "    fields:"
    for name in order:
        if name in given:
            yield f"      {name}: {GUESS} {_folded(given[name])}"
            if name in ("status", "validation_status") and export.words.unknown:
                start = "      # No synonym of ours is known for: "
                yield from _wrapped(start, export.words.unknown)
        elif name in export.missing and not (name == "event_type" and export.event):
            yield f'      {name}: {GUESS} ""   # required; nothing here looks like it'
    free = [name for name in order if name not in given and name not in export.missing]
    free = [name for name in free if not (name == "event_type" and export.event)]
    yield from _wrapped("      # Nothing found for: ", free)


def _wrapped(start: str, names: list[str]) -> Iterator[str]:
    """A list in comment lines."""
    line = start
    for place, name in enumerate(names):
        mark = "," if place < len(names) - 1 else ""
        if len(line) + len(name) + 1 > _WIDTH:
            yield line.rstrip()
            line = "      #   "
        line += f"{name}{mark} "
    if names:
        yield line.rstrip()


def _events(export: Guessed) -> Iterator[str]:
    if export.event is not None:
        yield "    events:"
        for meaning, words in export.words.known.items():
            yield f"      - {GUESS} {{ {_rule(export.event, words, meaning)} }}"
        if export.words.unknown:
            yield "      # No synonym of ours is known for these."
            condition = json.dumps(is_one_of(export.event, export.words.unknown))
            rule = f"when: {condition}, event_type: other"
            yield f"      - {GUESS} {{ {rule} }}"
        yield "      - { otherwise: other }"
    key = ", ".join(export.key)
    yield f"    key: {GUESS} [{key}]   # a record sent again must not count again"


def _rule(event: str, words: list[str], meaning: Meaning) -> str:
    rule = (
        f"when: {json.dumps(is_one_of(event, words))}, event_type: {meaning.event_type}"
    )
    if meaning.bounce_class:
        rule += f", set: {{ bounce_class: {meaning.bounce_class} }}"
    return rule


def _basis(export: Guessed) -> Iterator[str]:
    yield (
        f"    delivered: {GUESS} {export.delivered}"
        "   # reported, recipients_minus_bounces, unavailable"
    )
    if export.rate:
        value, base = export.rate
        told = f", base: {GUESS} {base}" if base else ""
        yield f"    vendor_rate: {{ value: {value}{told} }}"
        if not base:
            yield "    # No counts here give its rate: say what it is divided by,"
            yield "    # base: sent, delivered or opens, where the vendor says so."


def _folded(sql: str) -> str:
    """An expression as YAML; a long one over several lines."""
    if len(sql) <= 50:
        return scalar(sql)
    lines: list[str] = []
    for part in re.sub(r" (when|else|end) ?", r"\n\1 ", sql).split("\n"):
        joined = f"{lines[-1]} {part.strip()}" if lines else ""
        if lines and len(joined) <= 70:
            lines[-1] = joined
        else:
            lines.append(part.strip())
    indented = "\n".join(f"        {line}" for line in lines)
    return f">-\n{indented}"
