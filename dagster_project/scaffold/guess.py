"""What an example probably means: table, fields, events, people, moments, numbers.

Everything here is a guess that its owner confirms; ``draft.py`` writes it down.
"""

from __future__ import annotations

import unicodedata

import duckdb

from dagster_project.mapping.canonical import FIELDS, Column, TableName
from dagster_project.mapping.compile import RESERVED
from dagster_project.mapping.model import NAME
from dagster_project.scaffold.example import Example, Leaf
from dagster_project.scaffold.guessed import Guessed
from dagster_project.scaffold.measures import (
    first_of,
    settle_moments,
    settle_numbers,
)
from dagster_project.scaffold.shapes import (
    Shape,
    shape_of,
    tokens,
)
from dagster_project.scaffold.words import (
    Words,
    name_score,
    synonyms,
    words_in,
)

_NAMES: dict[TableName, str] = {
    "message_events": "events",
    "campaign_stats": "totals",
    "contact_snapshots": "contacts",
    "list_validations": "validations",
    "domain_reputation": "reputation",
}
_VOCABULARY: dict[TableName, tuple[str, str]] = {
    "message_events": ("event_type", "events"),
    "contact_snapshots": ("status", "contact_statuses"),
    "list_validations": ("validation_status", "validation_statuses"),
}
"""The field whose words tell what a record is, and the list they are known from."""
_MOSTLY_UNIQUE = 0.75
_FITS = {
    "count": ("count",),
    "time": ("time",),
    "percent": ("percent", "number", "count"),
    "number": ("number", "count"),
    "flag": ("flag",),
    "text": ("text", "count", "flag", "number", "empty"),
}
_DELIVERED = {
    "reported": {"delivered_count"},
    "recipients_minus_bounces": {"sent_count", "bounce_count"},
}
_IDENTIFYING: dict[TableName, tuple[str, ...]] = {
    "message_events": ("event_type", "occurred_at"),
    "campaign_stats": (
        *("campaign_id", "campaign_name", "sent_at", "sent_count", "delivered_count"),
        "unsubscribe_count",
    ),
    "contact_snapshots": ("status", "list"),
    "list_validations": ("validation_status", "raw_substatus"),
    "domain_reputation": (),
}


def guess(example: Example) -> Guessed:
    """The most likely meaning of an example."""
    with duckdb.connect(":memory:") as engine:
        reserved = _sql_words(engine) | RESERVED
        inputs = _named(example.leaves, reserved)
        shapes = {name: shape_of(leaf, engine) for name, leaf in inputs.items()}
        inner = {
            f"{name}.{leaf.name}": shape_of(leaf, engine)
            for name, outer in inputs.items()
            for leaf in outer.inner
        }
    address, people = _person(inputs, shapes, inner)
    lands, telling = _table(inputs, shapes, bool(address))
    found = Guessed(_NAMES[lands], lands, example, shapes, inputs)
    if lands != "campaign_stats":
        found.address, found.people = address, people
    found.telling = telling
    if telling is not None:
        found.words = words_in(inputs[telling], _VOCABULARY[lands][1])
    taken = {name for name in (found.address, telling) if name}
    _fill_fields(found, taken)
    if found.address is not None and found.address in inputs:
        parts = first_of(found, found.address, "address")
        is_one = len(parts) == 1
        found.address = parts[0] if is_one else f"coalesce({', '.join(parts)})"
    {
        "message_events": _events,
        "campaign_stats": _totals,
        "contact_snapshots": _contacts,
        "list_validations": _validations,
    }[lands](found, telling)
    settle_moments(found)
    settle_numbers(found)
    _required(found, telling)
    return found


# -- names ---------------------------------------------------------------------------


def _sql_words(engine: duckdb.DuckDBPyConnection) -> set[str]:
    rows = engine.execute(
        "select keyword_name from duckdb_keywords()"
        " where keyword_category not in ('unreserved')"
    ).fetchall()
    return {name for (name,) in rows}


def _named(leaves: list[Leaf], reserved: set[str]) -> dict[str, Leaf]:
    """A name of our kind for every leaf; a path gives as much of it as tells it."""
    lasts = [_plain(leaf.name) for leaf in leaves]
    names: dict[str, Leaf] = {}
    for leaf, last in zip(leaves, lasts, strict=True):
        is_known = lasts.count(last) > 1 and leaf.path
        name = _plain(leaf.path.removeprefix("$")) if is_known else last
        if name in reserved:
            name = f"{name}_value"
        number, base = 2, name
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names[name] = leaf
    return names


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = "_".join(tokens(folded))
    return plain if NAME.fullmatch(plain) else f"column_{plain}".rstrip("_")


# -- which table ---------------------------------------------------------------------


def _person(
    inputs: dict[str, Leaf], shapes: dict[str, Shape], inner: dict[str, Shape]
) -> tuple[str | None, str | None]:
    """The input that holds the person; for records of many, what lists them."""
    unwanted = synonyms()["not_address"]
    wanted = synonyms()["address"]
    plain = [
        name
        for name, leaf in inputs.items()
        if shapes[name].kind == "address"
        and leaf.holds == "text"
        and not name_score(leaf, unwanted)
    ]
    if plain:
        return max(plain, key=lambda name: name_score(inputs[name], wanted)), None
    for name, leaf in inputs.items():
        if leaf.holds == "texts" and shapes[name].kind == "address":
            return "item", f"json_extract_string({name}, '$[*]')"
        for entry in leaf.inner:
            if inner[f"{name}.{entry.name}"].kind == "address":
                path = entry.path.removeprefix("$")
                return "item", f"json_extract_string({name}, '$[*]{path}')"
    return None, None


def _table(
    inputs: dict[str, Leaf], shapes: dict[str, Shape], has_person: bool
) -> tuple[TableName, str | None]:
    """The table, and the input whose words say what a record is."""
    if not has_person:
        return "campaign_stats", None
    has_moment = any(shape.kind == "time" for shape in shapes.values())
    best: tuple[float, TableName, str | None] = (0.0, "contact_snapshots", None)
    for lands, (telling, kind) in _VOCABULARY.items():
        if lands == "message_events" and not has_moment:
            continue
        phrases = synonyms()["fields"][lands][telling]
        for name, leaf in inputs.items():
            if shapes[name].kind not in ("text", "flag") or leaf.holds != "text":
                continue
            named = name_score(leaf, phrases)
            share = words_in(leaf, kind).share * leaf.coverage
            score = share + named / 6 if share >= 0.3 else 0.0
            best = max(best, (score, lands, name), key=lambda entry: entry[0])
    return best[1], best[2]


# -- fields --------------------------------------------------------------------------


def _fill_fields(found: Guessed, taken: set[str]) -> None:
    """Every field the input whose name says it best, each input once."""
    phrases = synonyms()["fields"][found.lands]
    columns = {column.name: column for column in FIELDS[found.lands]}
    scored = [
        (name_score(leaf, phrases[column]), column, name)
        for column in phrases
        for name, leaf in found.inputs.items()
        if name not in taken
        and leaf.holds == "text"
        and _fits(columns[column], found.shapes[name])
    ]
    used = set(taken)
    for score, column, name in sorted(scored, key=lambda entry: -entry[0]):
        if score and column not in found.fields and name not in used:
            found.fields[column] = name
            used.add(name)
    for column in ("occurred_at", "sent_at"):
        moments = [
            name
            for name, shape in found.shapes.items()
            if shape.kind == "time" and name not in used
        ]
        if column in columns and column not in found.fields and moments:
            found.fields[column] = moments[0]


def _fits(column: Column, shape: Shape) -> bool:
    if column.words and column.name not in ("status", "validation_status"):
        return shape.kind == "text"
    return shape.kind in _FITS[column.kind]


def _events(found: Guessed, telling: str | None) -> None:
    found.event = telling
    found.fields.pop("event_type", None)
    if telling is not None:
        found.fields["event_subtype"] = telling
    if bounce := found.fields.pop("bounce_class", None):
        found.bounce_words = words_in(found.inputs[bounce], "bounce_classes")
        if found.bounce_words.known:
            found.fields["bounce_class"] = _cases(bounce, found.bounce_words, False)
    known = synonyms()
    ids = [
        (name_score(leaf, known["event_id"]), name)
        for name, leaf in found.inputs.items()
        if name not in found.fields.values() and _is_unique(leaf)
    ]
    score, name = max(ids, default=(0.0, ""))
    moment = found.fields.get("occurred_at")
    parts = [telling, moment, found.fields.get("message_id"), "contact_key"]
    found.key = [name] if score else [part for part in parts if part]
    if score and found.people:
        found.key.append("contact_key")
    _why(found)


def _is_unique(leaf: Leaf) -> bool:
    # Some posts come twice; that is what a key is for.
    return len(set(leaf.values)) > _MOSTLY_UNIQUE * len(leaf.cells)


def _why(found: Guessed) -> None:
    scored = [
        (name_score(leaf, synonyms()["reason"]), name)
        for name, leaf in found.inputs.items()
        if name not in found.fields.values() and found.shapes[name].kind == "text"
    ]
    score, name = max(scored, default=(0.0, ""))
    found.reason = name if score else None


def _totals(found: Guessed, _: str | None) -> None:
    named, moment = found.fields.get("campaign_name"), found.fields.get("sent_at")
    if "campaign_id" not in found.fields and named and moment:
        found.fields["campaign_id"] = f"concat_ws(' ', {named}, {moment})"
    counts = set(found.fields)
    both = {"sent_count", "hard_bounce_count", "soft_bounce_count"}
    found.delivered = next(
        (how for how, needed in _DELIVERED.items() if needed <= counts),
        "recipients_minus_bounces" if both <= counts else "unavailable",
    )
    if rate := found.fields.get("vendor_unsubscribe_rate_pct"):
        found.rate = (rate, None)


def _contacts(found: Guessed, telling: str | None) -> None:
    found.fields.pop("status", None)
    if telling is not None:
        found.fields["status"] = _cases(telling, found.words, True)
    elif status := _said_by_name(found.example.name):
        found.fields["status"] = f"'{status}'"
    if "list" not in found.fields:
        found.fields["list"] = "'main'"
    _why(found)


def _said_by_name(name: str) -> str | None:
    """The status of everybody in a file that is called after it."""
    said = {part.removesuffix("s") for part in tokens(name)}
    for ours, words in synonyms()["contact_statuses"].items():
        if said & {word.removesuffix("s") for word in words if " " not in word}:
            return str(ours)
    return None


def _validations(found: Guessed, telling: str | None) -> None:
    found.fields.pop("validation_status", None)
    if telling is not None:
        found.fields["raw_status"] = telling
        found.fields["validation_status"] = _cases(telling, found.words, True)


def _cases(name: str, words: Words, is_closed: bool) -> str:
    """Words of a column as words of ours; another word is counted as not understood."""
    steps = [
        f"when {is_one_of(name, listed)} then '{ours}'"
        for ours, listed in words.known.items()
    ]
    rest = f"concat('unmapped ', lower({name}))"
    otherwise = f"else {rest}" if is_closed else f"when {name} is not null then {rest}"
    return f"case {' '.join(steps)} {otherwise} end"


def is_one_of(name: str, words: list[str]) -> str:
    """A condition: the input is one of the words, whatever its case."""
    quoted = ["'" + word.replace("'", "''") + "'" for word in words]
    if len(quoted) == 1:
        return f"lower({name}) = {quoted[0]}"
    return f"lower({name}) in ({', '.join(quoted)})"


def _required(found: Guessed, telling: str | None) -> None:
    """What identifies the file: the inputs behind the fields that make it so."""
    named = [found.fields.get(name) for name in _IDENTIFYING[found.lands]]
    found.required = {name for name in named if name in found.inputs and name}
    found.required |= {telling or "", found.address or ""} & set(found.inputs)
    # What only some records of a file have does not identify it.
    found.required = {
        name for name in found.required if found.inputs[name].is_everywhere
    }
    needed = [column.name for column in FIELDS[found.lands] if column.required]
    found.missing = [
        name
        for name in needed
        if name not in found.fields and not (name == "event_type" and found.event)
    ]
