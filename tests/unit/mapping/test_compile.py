"""A mapping compiled to SQL and run: conversions, rules, words, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dagster_project.mapping.compile import (
    Circumstances,
    Compiled,
    compile_export,
    header_index,
)
from dagster_project.mapping.model import Input, MappingError, load_source
from dagster_project.mapping.vocabulary import vocabularies
from dagster_project.settings import SEEDS

NOW = datetime(2026, 11, 1)
EXPORTED = datetime(2026, 10, 31, 12)

TOTALS: dict[str, Any] = {
    "name": "totals",
    "lands": "campaign_stats",
    "reader": {"formats": "csv"},
    "inputs": {"id": {"column": "id"}, "moment": {"column": "at"}},
    "fields": {"campaign_id": "id", "sent_at": "moment"},
    "delivered": "reported",
}
EVENTS: dict[str, Any] = {
    "name": "events",
    "lands": "message_events",
    "reader": {"formats": "csv"},
    "inputs": {
        "id": {"column": "id"},
        "moment": {"column": "at"},
        "email": {"column": "email"},
        "kind": {"column": "kind"},
        "detail": {"column": "detail"},
    },
    "address": "email",
    "key": ["id"],
    "fields": {"event_type": "kind", "occurred_at": "moment"},
}
CSV_HEADERS = {
    "totals": ("id", "at"),
    "events": ("id", "at", "email", "kind", "detail"),
}


def says(value: Any) -> str:
    """A value in a test's name."""
    if isinstance(value, dict):
        return " ".join(f"{name} {mark!r}" for name, mark in value.items()) or "plain"
    if isinstance(value, str):
        return value if len(value) < 40 else f"{len(value)} characters"
    return "is unknown" if value is None else f"is {value}"


@cache
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    return connection


def compiled(
    folder: Path,
    export: dict[str, Any],
    header: tuple[str, ...] | None = (),
    zone: str = "UTC",
    chosen: Mapping[str, str] | None = None,
    **top: Any,
) -> Compiled:
    """The export as its mapping would be compiled for one file."""
    content = {"source": "acme", "kind": "esp", "title": "A", "notes": "n"} | top
    (folder / "acme").mkdir(exist_ok=True)
    text = yaml.safe_dump(content | {"exports": [export]})
    (folder / "acme" / "source.yaml").write_text(text, encoding="utf-8")
    source = load_source(folder / "acme")
    if header == ():
        header = CSV_HEADERS[export["name"]]
    circumstances = Circumstances(zone, chosen or {}, NOW, EXPORTED, header)
    return compile_export(source, source.exports[0], circumstances, vocabularies(SEEDS))


def run(found: Compiled, raw: list[tuple[str | None, ...]]) -> list[dict[str, Any]]:
    """Its rows over raw records, as texts c0, c1, ... or as the column ``record``."""
    for macro in found.macros:
        engine().execute(macro)
    is_json = "texts" in found.select
    names = ["record"] if is_json else [f"c{place}" for place in range(len(raw[0]))]
    values = [(number, *row) for number, row in enumerate(raw, start=1)]
    marks = ", ".join(
        "(" + ", ".join(["?", *(["cast(? as varchar)"] * len(names))]) + ")"
        for _ in values
    )
    engine().execute(
        f"create or replace temp table raw_records as from (values {marks})"
        f" as raw_records(record_number, {', '.join(names)})",
        [value for row in values for value in row],
    )
    cursor = engine().execute(
        f"from ({found.select}) order by record_number, item_number"
    )
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def convert(found: Compiled, macro: str, text: str | None) -> Any:
    """What one of the documented macros makes of a text, written as the export does."""
    for statement in found.macros:
        engine().execute(statement)
    row = engine().execute(f"select {macro}(cast(? as varchar))", [text]).fetchone()
    assert row is not None
    return row[0]


# -- conversions -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "text", "count"),
    [
        ({}, "0", 0),
        ({}, "9800", 9800),
        ({}, "007", 7),
        ({}, "64517.0", 64517),
        ({}, "9223372036854775807", 2**63 - 1),
        ({}, "9223372036854775808", None),
        ({}, "9,800", None),
        ({}, "12.5", None),
        ({}, "-1", None),
        ({}, "+1", None),
        ({}, "1e3", None),
        ({}, "1_000", None),
        ({}, "0x10", None),
        ({}, "NaN", None),
        ({}, "Infinity", None),
        ({}, "٣", None),
        ({}, "9 (0.5%)", None),
        ({}, "20%", None),
        ({"thousands": ","}, "9,800", 9800),
        ({"thousands": ","}, "1,234,567.00", 1234567),
        ({"thousands": ","}, "9800", 9800),
        ({"thousands": ","}, "98,00", None),
        ({"thousands": ","}, "9,8000", None),
        ({"thousands": ","}, ",800", None),
        ({"thousands": ".", "decimal": ","}, "9.800", 9800),
        ({"thousands": ".", "decimal": ","}, "9.800,0", 9800),
        ({"thousands": ".", "decimal": ","}, "9,8", None),
        ({"thousands": " "}, "9 800", 9800),
    ],
    ids=says,
)
def test_a_count_is_a_whole_number_as_the_export_writes_it(
    numbers: dict[str, str], text: str, count: int | None, tmp_path: Path
) -> None:
    found = compiled(tmp_path, TOTALS | {"numbers": numbers})
    assert convert(found, "to_count", text) == count


@pytest.mark.parametrize(
    ("numbers", "text", "number"),
    [
        ({}, "12.5", 12.5),
        ({}, "-0.25", -0.25),
        ({}, ".5", 0.5),
        ({}, "5e-05", 5e-05),
        ({}, "1,5", None),
        ({}, "1 5", None),
        ({}, "1.2.3", None),
        ({}, "$5", None),
        ({}, "nan", None),
        ({}, "inf", None),
        ({}, "1e999", None),
        ({}, "-1e999", None),
        ({}, "9" * 400, None),
        ({"thousands": ","}, "1,234.5", 1234.5),
        ({"thousands": ","}, "1,5", None),
        ({"thousands": ".", "decimal": ","}, "1.234,5", 1234.5),
        ({"thousands": ".", "decimal": ","}, "1.5", None),
    ],
    ids=says,
)
def test_a_number_is_finite_and_written_as_declared(
    numbers: dict[str, str], text: str, number: float | None, tmp_path: Path
) -> None:
    found = compiled(tmp_path, TOTALS | {"numbers": numbers})
    assert convert(found, "to_number", text) == number


@pytest.mark.parametrize(
    ("numbers", "text", "percent"),
    [
        ({}, "0.204", 0.204),
        ({}, "0.20%", 0.2),
        ({}, "0.20 %", 0.2),
        ({}, "0,2 %", None),
        ({}, "% 0.2", None),
        ({}, "n/a", None),
        ({"decimal": ","}, "0,2 %", 0.2),
        ({"thousands": ","}, "0,2 %", None),
        ({"percent": "fraction"}, "0.002", 0.2),
        ({"percent": "fraction"}, "5e-05", 0.005),
    ],
    ids=says,
)
def test_a_percentage_is_0_to_100_however_it_is_written(
    numbers: dict[str, str], text: str, percent: float | None, tmp_path: Path
) -> None:
    found = compiled(tmp_path, TOTALS | {"numbers": numbers})
    wanted = None if percent is None else pytest.approx(percent)
    assert convert(found, "to_percent", text) == wanted


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        *((text, True) for text in ("true", "TRUE", "yes", "Y", "1", "t")),
        *((text, False) for text in ("false", "False", "no", "N", "0", "f")),
        *((text, None) for text in ("", "2", "on", "unknown", "maybe")),
    ],
    ids=says,
)
def test_a_flag_has_three_states(text: str, flag: bool | None, tmp_path: Path) -> None:
    assert convert(compiled(tmp_path, TOTALS), "to_flag", text) is flag


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        (None, None),
        ("https://mail.example/Unsubscribe?u=1", "unsubscribe"),
        ("mailto:unsubscribe@example.com", "unsubscribe"),
        ("https://mail.example/preferences/unsubscribe", "unsubscribe"),
        ("https://example.com/Preferences", "preference"),
        ("https://example.com/subscription_center.aspx", "preference"),
        ("https://www.Instagram.com/harbour?from=mail", "channel"),
        ("https://x.com/harbour", "channel"),
        ("http://m.facebook.com:443", "channel"),
        ("https://wa.me/4930123456?text=Hello", "channel"),
        ("https://apps.apple.com/app/id1", "channel"),
        ("https://www.facebook.com/sharer/sharer.php?u=1", "other"),
        ("https://wa.me/?text=Look", "other"),
        ("https://example.com", "website"),
        ("https://shop.example.com/?utm_source=mail", "website"),
        ("https://example.com?utm_source=mail#top", "website"),
        ("https://netflix.com/", "website"),
        ("https://example.com/facebook.com", "other"),
        ("https://example.com/offer", "other"),
        ("https://apps.apple.com.example/app", "other"),
        ("tel:+4930123456", "other"),
    ],
    ids=says,
)
def test_a_link_leads_to_one_kind_of_place(
    link: str | None, kind: str | None, tmp_path: Path
) -> None:
    assert convert(compiled(tmp_path, TOTALS), "url_kind", link) == kind


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-09-01T09:00:00Z", datetime(2026, 9, 1, 9)),
        ("2026-09-01 09:00:00Z", datetime(2026, 9, 1, 9)),
        ("2026-09-01T11:00:00+02:00", datetime(2026, 9, 1, 9)),
        ("2026-09-01T11:00:00+0200", datetime(2026, 9, 1, 9)),
        ("2026-09-01T04:00:00.123-05:00", datetime(2026, 9, 1, 9, 0, 0, 123000)),
        ("2026-09-01T09:00:00.1234567Z", datetime(2026, 9, 1, 9, 0, 0, 123456)),
        ("2026-08-31T24:00:00Z", datetime(2026, 9, 1)),
        ("2026-09-01T09:00:00", None),
        ("2026-09-01", None),
        ("2026-02-30T09:00:00Z", None),
        ("2026-12-31T23:59:60Z", None),
        ("01/09/2026 09:00Z", None),
        ("1756717200", None),
        ("2026-09-01T09:00:00 Europe/Paris", None),
    ],
    ids=says,
)
def test_a_moment_with_its_own_zone(
    text: str, moment: datetime | None, tmp_path: Path
) -> None:
    assert convert(compiled(tmp_path, TOTALS), "to_utc", text) == moment


@pytest.mark.parametrize(
    ("zone", "text", "moment"),
    [
        ("UTC", "2026-09-01 09:00:00.500", datetime(2026, 9, 1, 9, 0, 0, 500000)),
        ("UTC", "2026-09-01T09:00", datetime(2026, 9, 1, 9)),
        ("UTC", "2026-09-01", datetime(2026, 9, 1)),
        ("UTC", "2026-09-01 09:00:00Z", datetime(2026, 9, 1, 9)),
        ("UTC", "2026-09-01 09:00:00+00:00", datetime(2026, 9, 1, 9)),
        # A value that contradicts the declared zone is refused, never reinterpreted.
        ("UTC", "2026-09-01 09:00:00+02:00", None),
        ("UTC", "2026-09-01 09:00:00 Europe/Paris", None),
        ("UTC", "infinity", None),
        ("UTC", "epoch", None),
        ("Europe/Copenhagen", "2026-09-01 09:00:00", datetime(2026, 9, 1, 7)),
        ("Europe/Copenhagen", "2026-12-01 09:00:00", datetime(2026, 12, 1, 8)),
        ("Europe/Copenhagen", "2026-09-01 09:00:00Z", None),
        # The hour that does not exist is read an hour on: 02:30 is 03:30 summer time.
        ("Europe/Copenhagen", "2026-03-29 02:30:00", datetime(2026, 3, 29, 1, 30)),
        # The hour that exists twice is its second, standard time.
        ("Europe/Copenhagen", "2026-10-25 02:30:00", datetime(2026, 10, 25, 1, 30)),
        ("America/New_York", "2026-09-01 09:00:00", datetime(2026, 9, 1, 13)),
    ],
    ids=says,
)
def test_a_moment_in_a_declared_zone(
    zone: str, text: str, moment: datetime | None, tmp_path: Path
) -> None:
    fixed = compiled(tmp_path, TOTALS | {"times": {"zone": zone}})
    assert convert(fixed, "to_utc", text) == moment
    by_account = compiled(tmp_path, TOTALS | {"times": {"zone": "account"}}, zone=zone)
    assert convert(by_account, "to_utc", text) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Jun 09, 2018 09:30 pm", datetime(2018, 6, 9, 21, 30)),
        ("June 9, 2018 12:05 AM", datetime(2018, 6, 9, 0, 5)),
        ("Jun 09, 2018 12:05 pm", datetime(2018, 6, 9, 12, 5)),
        ("Jun 09, 2018 21:30 pm", None),
        ("Jun 31, 2018 09:30 pm", None),
        ("Jun 09, 2018 09:30 pm or so", None),
        ("2018-06-09 21:30", None),
    ],
    ids=says,
)
def test_a_moment_in_declared_formats(
    text: str, moment: datetime | None, tmp_path: Path
) -> None:
    formats = ["%b %d, %Y %I:%M %p", "%B %d, %Y %I:%M %p"]
    times = {"zone": "UTC", "formats": formats}
    found = compiled(tmp_path, TOTALS | {"times": times})
    assert convert(found, "to_utc", text) == moment


# -- records to fields -----------------------------------------------------------


def test_the_first_present_column_counts_whatever_its_case() -> None:
    entry = Input(column=["Email", "E-mail"])
    assert header_index(entry, ("x", " E-MAIL ")) == 1
    assert header_index(entry, ("e-mail", "email")) == 1
    assert header_index(entry, ("mail",)) is None


def test_blank_and_null_tokens_are_unknown(tmp_path: Path) -> None:
    reader = {"formats": "csv", "null_tokens": ["n/a", "NULL"]}
    found = compiled(
        tmp_path,
        EVENTS
        | {
            "reader": reader,
            "fields": {
                "event_type": "kind",
                "occurred_at": "moment",
                "subject": "detail",
            },
        },
    )
    at = "2026-09-01T09:00:00Z"
    details = [" ", "N/A", "null", " text ", "na", None]
    rows = run(found, [("1", at, "a@example.com", "sent", text) for text in details])
    assert [row["subject"] for row in rows] == [None, None, None, "text", "na", None]


def test_paths_are_tried_in_order_and_a_column_is_a_key(tmp_path: Path) -> None:
    export = EVENTS | {
        "reader": {"formats": "ndjson"},
        "inputs": {
            "id": {"column": "Event Id"},
            "moment": {"path": "$.at"},
            "email": {"path": ["$.to[0]", "$.email"]},
            "kind": {"path": "$.kind"},
        },
    }
    found = compiled(tmp_path, export, header=None)
    at = '"at":"2026-09-01T09:00:00Z","kind":"sent"'
    records = [
        f'{{"Event Id":1,{at},"to":["a@example.com"],"email":"b@example.com"}}',
        f'{{"Event Id":"2",{at},"to":[],"email":"b@example.com"}}',
        f'{{"Event Id":3,{at},"email":null}}',
    ]
    rows = run(found, [(record,) for record in records])
    assert [row["key_text"] for row in rows] == ["1", "2", "3"]
    assert [row["address"] for row in rows] == ["a@example.com", "b@example.com", None]


@pytest.mark.parametrize(
    "record",
    ['{"kind":', "[]", "7", '"text"', "null", '{"a":1} {"b":2}'],
    ids=["cut", "an array", "a number", "a text", "null", "two objects"],
)
def test_a_line_that_is_no_object_is_rejected(record: str, tmp_path: Path) -> None:
    export = EVENTS | {"reader": {"formats": "ndjson"}}
    found = compiled(tmp_path, export, header=None)
    (row,) = run(found, [(record,)])
    assert found.rejections[row["rejection"] - 1].reason == "bad_json"


def test_a_record_nested_beyond_reason_neither_crashes_nor_spreads(
    tmp_path: Path,
) -> None:
    export = EVENTS | {"reader": {"formats": "ndjson"}}
    found = compiled(tmp_path, export, header=None)
    deep = '{"detail":' + "[" * 100_000 + "]" * 100_000 + "}"
    good = '{"id":1,"kind":"sent","at":"2026-09-01T09:00:00Z","email":"a@example.com"}'
    rows = run(found, [(deep,), (good,)])
    assert [row["rejection"] is None for row in rows] == [False, True]


def test_a_record_inside_a_text_is_unwrapped_and_plain_ones_stay(
    tmp_path: Path,
) -> None:
    export = EVENTS | {"reader": {"formats": "ndjson", "unwrap": "$.Message"}}
    found = compiled(tmp_path, export, header=None)
    records = [
        '{"Message":"{\\"kind\\":\\"sent\\",\\"id\\":\\"in\\"}","id":"out"}',
        '{"Message":"just words","id":"words"}',
        '{"id":"plain"}',
    ]
    rows = run(found, [(record,) for record in records])
    assert [row["key_text"] for row in rows] == ["in", "words", "plain"]


def test_a_list_gives_one_row_an_element_and_none_gives_one(tmp_path: Path) -> None:
    export = EVENTS | {
        "reader": {"formats": "ndjson", "explode": "people"},
        "inputs": EVENTS["inputs"] | {"sent_to": {"path": "$.to"}},
        "let": {"people": "json_extract_string(sent_to, '$[*]')"},
        "address": "item",
    }
    found = compiled(tmp_path, export, header=None)
    assert found.can_fan_out
    rows = run(found, [('{"to":["a","b"," "]}',), ('{"to":[]}',), ("{}",)])
    assert [(r["record_number"], r["item_number"], r["address"]) for r in rows] == [
        (1, 1, "a"),
        (1, 2, "b"),
        (1, 3, None),
        (2, 1, None),
        (3, 1, None),
    ]


def test_a_setting_of_the_account_is_a_name_in_expressions(tmp_path: Path) -> None:
    export = EVENTS | {
        "fields": EVENTS["fields"] | {"campaign_id": "if(mode = 'a', id, kind)"}
    }
    asked = {"mode": {"default": "a", "allowed": ["a", "b"]}}
    row = ("7", "2026-09-01T09:00:00Z", "a@example.com", "sent", None)
    (by_default,) = run(compiled(tmp_path, export, settings=asked), [row])
    by_owner = compiled(tmp_path, export, chosen={"mode": "b"}, settings=asked)
    (chosen,) = run(by_owner, [row])
    assert (by_default["campaign_id"], chosen["campaign_id"]) == ("7", "sent")


# -- what a record means ---------------------------------------------------------

RULES = EVENTS | {
    "fields": {"occurred_at": "moment", "bounce_class": "detail"},
    "events": [
        {"when": "kind = 'bounce' and detail = 'x'", "skip": "noise"},
        {
            "when": "kind = 'bounce'",
            "event_type": "bounced",
            "set": {"bounce_class": "hard"},
        },
        {"when": "kind like 'b%'", "event_type": "opened"},
        {"otherwise": "other"},
    ],
}
AT = "2026-09-01T09:00:00Z"


def test_rules_are_tried_in_order_and_the_rest_is_counted(tmp_path: Path) -> None:
    found = compiled(tmp_path, RULES)
    kinds = [
        ("bounce", "x"),
        ("bounce", "soft"),
        ("blink", "soft"),
        ("z", None),
        (None, None),
    ]
    rows = run(found, [("1", AT, "a@example.com", *kind) for kind in kinds])
    assert [(row["event_type"], row["bounce_class"]) for row in rows[1:]] == [
        ("bounced", "hard"),
        ("opened", "soft"),
        ("other", None),
        ("other", None),
    ]
    assert [row["skipped"] for row in rows] == [1, 0, 0, 0, 0]
    assert found.skips == ["noise"]
    assert [row["unmapped"] for row in rows[1:]] == [None, None, *["event_type"] * 2]


def test_a_skipped_record_is_not_rejected_as_well(tmp_path: Path) -> None:
    (row,) = run(compiled(tmp_path, RULES), [("1", "never", None, "bounce", "x")])
    assert (row["skipped"], row["rejection"]) == (1, None)


@pytest.mark.parametrize(
    "rule",
    [
        {"when": "kind = 'a'", "event_type": "vanished"},
        {
            "when": "kind = 'a'",
            "event_type": "bounced",
            "set": {"bounce_class": "medium"},
        },
    ],
    ids=["event type", "set word"],
)
def test_a_rule_may_only_use_canonical_words(
    rule: dict[str, Any], tmp_path: Path
) -> None:
    export = RULES | {"events": [rule, {"otherwise": "other"}]}
    with pytest.raises(MappingError, match=r"`(vanished|medium)` is no word of"):
        compiled(tmp_path, export)


def test_the_otherwise_too_must_be_a_word(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="`nothing` is no word of event_types"):
        compiled(tmp_path, RULES | {"events": [{"otherwise": "nothing"}]})


@pytest.mark.parametrize(
    "export",
    [
        pytest.param(EVENTS | {"let": {"id": "kind"}}, id="a let of an input's name"),
        pytest.param(EVENTS | {"let": {"lower": "kind"}}, id="a function's name"),
        pytest.param(EVENTS | {"let": {"end": "kind"}}, id="a keyword"),
        pytest.param(
            EVENTS | {"let": {"record_number": "id"}}, id="the record's number"
        ),
    ],
)
def test_a_name_is_given_once(export: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="the name is taken"):
        compiled(tmp_path, export)


# -- fields to a verdict ---------------------------------------------------------


def verdict(found: Compiled, row: dict[str, Any]) -> tuple[str, str] | None:
    if row["rejection"] is None:
        return None
    rejection = found.rejections[row["rejection"] - 1]
    return rejection.reason, rejection.column


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        pytest.param(("1", AT, "a@example.com", "sent", ""), None, id="good"),
        pytest.param(
            ("1", "soon", "a@example.com", "sent", ""), ("bad_utc", "At"), id="time"
        ),
        pytest.param(
            ("1", "", "a@example.com", "sent", ""),
            ("missing_value", "At"),
            id="no time",
        ),
        pytest.param(
            ("1", AT, " ", "sent", ""), ("missing_value", "email"), id="nobody"
        ),
        pytest.param(
            ("1", "2026-11-02T00:00:00Z", "a@example.com", "sent", ""),
            None,
            id="a day on",
        ),
        pytest.param(
            ("1", "2026-11-02T00:00:01Z", "a@example.com", "sent", ""),
            ("future_time", "At"),
            id="a second later",
        ),
        pytest.param(
            ("1", "9999-12-31T00:00:00Z", "a@example.com", "sent", ""),
            ("future_time", "At"),
            id="the end of time",
        ),
        pytest.param(
            ("1", "1999-12-31T23:59:59Z", "a@example.com", "sent", ""),
            ("time_too_early", "At"),
            id="last century",
        ),
        pytest.param(
            ("1", "1970-01-01T00:00:00Z", "a@example.com", "sent", ""),
            ("time_too_early", "At"),
            id="the epoch",
        ),
    ],
)
def test_a_bad_value_rejects_its_record_under_the_files_own_name(
    raw: tuple[str, ...], why: tuple[str, str] | None, tmp_path: Path
) -> None:
    found = compiled(tmp_path, EVENTS, ("id", "At", "email", "kind", "detail"))
    (row,) = run(found, [raw])
    assert verdict(found, row) == why


def test_a_required_word_without_a_fallback_rejects_its_record(tmp_path: Path) -> None:
    export = {
        "name": "events",
        "lands": "contact_snapshots",
        "reader": {"formats": "csv"},
        "inputs": EVENTS["inputs"],
        "address": "email",
        "fields": {"list": "id", "status": "kind", "exit_cause": "detail"},
    }
    found = compiled(tmp_path, export)
    words = [("Subscribed", None), ("vip", None), ("archived", "Boredom")]
    rows = run(found, [("l", None, "a@example.com", *pair) for pair in words])
    assert [verdict(found, row) for row in rows] == [
        None,
        ("unknown_word", "kind"),
        None,
    ]
    assert [row["status"] for row in rows] == ["subscribed", "vip", "archived"]
    assert [row["unmapped"] for row in rows] == [None, None, "exit_cause"]
    assert [row["exit_cause"] for row in rows] == [None, None, "unknown"]
    assert {row["exported_at"] for row in rows} == {EXPORTED}


def test_a_flag_may_say_that_it_does_not_know(tmp_path: Path) -> None:
    export = EVENTS | {"fields": EVENTS["fields"] | {"is_machine": "detail"}}
    found = compiled(tmp_path, export)
    values = ["yes", "0", "Unknown", None, "maybe"]
    rows = run(found, [("1", AT, "a@example.com", "sent", value) for value in values])
    assert [row["is_machine"] for row in rows] == [True, False, None, None, None]
    assert [verdict(found, row) for row in rows] == [None] * 4 + [
        ("bad_flag", "detail")
    ]


COUNTED = TOTALS | {
    "inputs": TOTALS["inputs"]
    | {name: {"column": name} for name in ("id", "sent", "bounces", "hard", "soft")},
    "fields": TOTALS["fields"]
    | {
        "sent_count": "sent",
        "bounce_count": "bounces",
        "hard_bounce_count": "hard",
        "soft_bounce_count": "soft",
    },
    "delivered": ["reported", "recipients_minus_bounces"],
}


@pytest.mark.parametrize(
    ("counts", "how"),
    [
        pytest.param(("9", "1", "", ""), "recipients_minus_bounces", id="a total"),
        pytest.param(("9", "", "1", "0"), "recipients_minus_bounces", id="both kinds"),
        pytest.param(("9", "", "1", ""), "unavailable", id="one kind only"),
        pytest.param(("9", "", "", ""), "unavailable", id="no bounces"),
        pytest.param(("", "1", "1", "0"), "unavailable", id="no recipients"),
    ],
)
def test_delivered_is_derived_only_from_known_parts(
    counts: tuple[str, ...], how: str, tmp_path: Path
) -> None:
    header = ("id", "at", "sent", "bounces", "hard", "soft")
    (row,) = run(compiled(tmp_path, COUNTED, header), [("c", AT, *counts)])
    assert row["delivered_how"] == how
    assert row["delivered_count"] is None


@pytest.mark.parametrize(
    ("printed", "style", "half"),
    [
        # Half of the last printed digit's unit.
        ("1.14", "percent", 0.005),
        ("1.1%", "percent", 0.05),
        ("2", "percent", 0.5),
        ("0.0114", "fraction", 0.005),
        ("1.14e-02", "fraction", 0.005),
        ("", "percent", None),
    ],
    ids=says,
)
def test_a_printed_rate_knows_how_exact_it_is(
    printed: str, style: str, half: float | None, tmp_path: Path
) -> None:
    export = TOTALS | {
        "inputs": TOTALS["inputs"] | {"rate": {"column": "rate"}},
        "fields": TOTALS["fields"] | {"vendor_unsubscribe_rate_pct": "rate"},
        "vendor_rate": {"value": "rate", "base": "sent"},
        "numbers": {"percent": style},
    }
    (row,) = run(compiled(tmp_path, export, ("id", "at", "rate")), [("c", AT, printed)])
    exact = None if half is None else pytest.approx(half)
    assert row["vendor_unsubscribe_rate_half_unit_pct"] == exact
    assert row["vendor_rate_base"] == (None if half is None else "sent")


@pytest.mark.parametrize(
    ("zone", "basis"),
    [("in_value", "in_file"), ("account", "declared"), ("UTC", "declared")],
    ids=says,
)
def test_totals_say_where_their_zone_comes_from(
    zone: str, basis: str, tmp_path: Path
) -> None:
    export = TOTALS | {"times": {"zone": zone}, "settle_days": 9}
    (row,) = run(compiled(tmp_path, export), [("c", AT)])
    assert (row["time_basis"], row["settle_days"]) == (basis, 9)


def test_names_from_a_file_are_only_ever_quoted(tmp_path: Path) -> None:
    hostile = "at'; drop table raw_records; --"
    found = compiled(
        tmp_path,
        EVENTS | {"inputs": EVENTS["inputs"] | {"moment": {"column": hostile}}},
        ("id", hostile, "email", "kind", "detail"),
        chosen={"x": "'; select 1; --"},
    )
    (row,) = run(found, [("1", "'; drop table raw_records; --", "a", "sent", None)])
    assert verdict(found, row) == ("bad_utc", hostile)
    assert engine().execute("select count(*) from raw_records").fetchone() == (1,)


@pytest.mark.parametrize("part", ["fields", "let", "address", "key", "when", "reasons"])
def test_every_expression_of_a_mapping_is_checked(part: str, tmp_path: Path) -> None:
    evil = "read_text('/etc/passwd')"
    export: dict[str, Any] = dict(RULES)
    match part:
        case "fields":
            export["fields"] = RULES["fields"] | {"subject": evil}
        case "let":
            export["let"] = {"x": evil}
        case "address":
            export["address"] = evil
        case "key":
            export["key"] = [evil]
        case "when":
            export["events"] = [
                {"when": evil, "event_type": "sent"},
                {"otherwise": "other"},
            ]
        case "reasons":
            export["reasons"] = {"value": evil}
    with pytest.raises(MappingError, match="`read_text` is no known function"):
        compiled(tmp_path, export)


def test_a_transform_that_is_declared_must_exist(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"needs transform\.py"):
        compiled(tmp_path, EVENTS | {"transform": True})


FULL = {
    **RULES,
    "let": {"word": "lower(kind)"},
    "reasons": {"value": "detail", "options": {"Too many": "too_frequent"}},
    "reader": {"formats": "csv", "explode": "word"},
    "events": [{"when": "word = 'a'", "event_type": "sent"}, {"otherwise": "other"}],
}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param(
            {"let": {"word": "lowr(kind)"}},
            "let.word: `lowr` is no known function; expected one of lower, ",
            id="a function",
        ),
        pytest.param(
            {"fields": {"occurred_at": "momemt"}},
            "fields.occurred_at: `momemt` is no known name; expected one of moment, ",
            id="a name",
        ),
        pytest.param(
            {"events": [*FULL["events"][:1], {"otherwise": "othr"}]},
            "events.1.otherwise: `othr` is no word of event_types; expected one of"
            " other, ",
            id="an event type",
        ),
        pytest.param(
            {"reasons": {"value": "detail", "options": {"Too many": "too_often"}}},
            "reasons.options.Too many: `too_often` is no word of opt_out_reason_words;",
            id="a reason",
        ),
        pytest.param(
            {
                "reasons": {
                    "value": "detail",
                    "option_set": "survey",
                    "offers": ["other", "reason 1"],
                }
            },
            "reasons.offers.1: `reason 1` is no word of opt_out_reason_words;",
            id="a reason on offer",
        ),
        pytest.param(
            {"reader": {"formats": "csv", "explode": "words"}},
            "reader.explode: `words` is no `let`; expected one of word",
            id="what is exploded",
        ),
        pytest.param({"key": ["idd"]}, "key: `idd` is no known name", id="a key"),
    ],
)
def test_what_is_not_allowed_is_named_with_line_and_path(
    changes: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(MappingError) as caught:
        compiled(tmp_path, FULL | changes)
    file, _, told = str(caught.value).partition(": exports.0.")
    assert told.startswith(says)
    line = int(file.removeprefix("acme/source.yaml line "))
    text = (tmp_path / "acme" / "source.yaml").read_text(encoding="utf-8")
    key = says.partition(":")[0].rpartition(".")[2]
    assert key in text.splitlines()[line - 1]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"let": {"word": "lower(kind, id)"}}, ("let", "word")),
        ({"fields": {"occurred_at": "length(id, id)"}}, ("fields", "occurred_at")),
        ({"address": "upper(email, id)"}, ("address",)),
        ({"key": ["id", "md5(id, id)"]}, ("key",)),
        ({"reasons": {"value": ["length(id)", "detail"]}}, ("reasons", "value")),
        (
            {"events": [{"when": "contains(id)", "skip": "x"}, {"otherwise": "other"}]},
            ("events", 0, "when"),
        ),
        ({"skip": [{"when": "contains(id)", "why": "x"}]}, ("skip", 0, "when")),
    ],
)
def test_a_line_of_the_sql_tells_which_expression_gave_it(
    changes: dict[str, Any], path: tuple[str | int, ...], tmp_path: Path
) -> None:
    export = FULL | {"reader": {"formats": "csv"}} | changes
    found = compiled(tmp_path, export)
    raw = "select 1 as record_number, 'x' as c0, 'x' as c1, 'x' as c2, 'x' as c3"
    engine().execute(f"create or replace temp table raw_records as {raw}, 'x' as c4")
    for macro in found.macros:
        engine().execute(macro)
    with pytest.raises(duckdb.BinderException) as caught:
        engine().execute(found.select)
    line = int(str(caught.value).rpartition("LINE ")[2].partition(":")[0])
    place = found.place_of(line)
    assert place is not None
    assert place.path == ("exports", 0, *path)


@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("moment", "At"),
        ("case when moment = 'moment' then lower(moment) end", "At"),
        ("coalesce(moment, kind)", "occurred_at"),
        ("'never'", "occurred_at"),
    ],
)
def test_a_rejected_field_names_the_one_column_that_decides_it(
    sql: str, column: str, tmp_path: Path
) -> None:
    header = ("id", "At", "email", "kind", "detail")
    export = EVENTS | {"fields": {"event_type": "kind", "occurred_at": sql}}
    rejections = compiled(tmp_path, export, header).rejections
    assert column in {r.column for r in rejections if r.reason == "missing_value"}
