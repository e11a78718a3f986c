"""Text to records: which mapping reads it, and one bad record never costs another."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.landing import documents, records
from dagster_project.landing.containers import members
from dagster_project.landing.reader import Plain, RefusedError, read_plain
from dagster_project.landing.recognition import (
    Recognised,
    layout_of,
    read_header,
    recognise,
)
from dagster_project.landing.records import Framed, frame
from dagster_project.mapping.model import Source, load_source

TABLE = """
source: acme
kind: esp
title: Acme
notes: none
exports:
  - name: events
    lands: message_events
    reader: {formats: [csv, ndjson, json]}
    inputs:
      id: {column: [id, "Event Id"], required: true}
      email: {column: email, required: true}
      kind: {column: kind}
    address: email
    key: [id]
    fields: {event_type: kind}
"""


def source_from(folder: Path, text: str = TABLE, name: str = "acme") -> Source:
    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    (path / "source.yaml").write_text(text.replace("acme", name), encoding="utf-8")
    return load_source(path)


def plain_of(folder: Path, text: str) -> Plain:
    archived = folder / "archived"
    archived.write_bytes(text.encode())
    return read_plain(members(archived)[0], archived, folder / "plain", "utf-8")


def framed_of(folder: Path, text: str, *, careful: bool) -> Framed:
    plain = plain_of(folder, text)
    found = recognise(plain, "export", [source_from(folder)])
    return frame(plain, found, folder / "split", careful=careful)


@cache
def engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def rows_of(framed: Framed) -> list[tuple[Any, ...]]:
    return engine().execute(f"from ({framed.relation}) order by 1").fetchall()


def broken_of(framed: Framed) -> list[tuple[int, int | None, str]]:
    return [(b.record_number, b.line_number, b.rejection.reason) for b in framed.broken]


# -- tables ----------------------------------------------------------------------


def test_an_open_quote_loses_its_own_record_only(tmp_path: Path) -> None:
    lines = [f"{number},p{number}@example.com\n" for number in range(1, 7)]
    lines[1] = '2,"p2@example.com\n'
    framed = framed_of(tmp_path, "id,email\n" + "".join(lines), careful=True)
    assert broken_of(framed) == [(2, 3, "bad_quotes")]
    assert [row[0] for row in rows_of(framed)] == [1, 3, 4, 5, 6]


def test_two_open_quotes_do_not_swallow_what_lies_between(tmp_path: Path) -> None:
    # Read as one record, the first three lines would have two fields.
    text = 'id,email,kind\n1,"a,x\n2,b,y\n3,c"\n4,d,z\n'
    framed = framed_of(tmp_path, text, careful=True)
    assert broken_of(framed) == [(1, 2, "bad_quotes"), (3, 4, "wrong_field_count")]
    assert [row[0] for row in rows_of(framed)] == [2, 4]


def test_text_behind_a_closing_quote_loses_its_own_record_only(tmp_path: Path) -> None:
    text = 'id,email\n1,"a"b\n2,b@example.com\n'
    framed = framed_of(tmp_path, text, careful=True)
    assert broken_of(framed) == [(1, 2, "bad_quotes")]
    assert rows_of(framed) == [(2, "2", "b@example.com")]


def test_a_quote_inside_an_unquoted_value_is_part_of_it(tmp_path: Path) -> None:
    text = 'id,email,kind\n1,a@example.com,5" pipe\n2,b@example.com,x\n'
    framed = framed_of(tmp_path, text, careful=True)
    assert framed.broken == []
    assert rows_of(framed)[0] == (1, "1", "a@example.com", '5" pipe')


@pytest.mark.parametrize(
    ("place", "line"),
    [(0, 2), (2, 5), (3, 6)],
    ids=["in the first record", "behind a record of two lines", "in the last record"],
)
@pytest.mark.parametrize(
    "bad",
    ["x", "x,y,z"],
    ids=["a field too few", "a field too many"],
)
def test_a_wrong_field_count_is_rejected_with_its_line(
    bad: str, place: int, line: int, tmp_path: Path
) -> None:
    good = ["1,a@example.com", '2,"b\nb@example.com"', "3,c@example.com"]
    lines = [*good[:place], bad, *good[place:]]
    framed = framed_of(tmp_path, "id,email\n" + "\n".join(lines) + "\n", careful=True)
    assert broken_of(framed) == [(place + 1, line, "wrong_field_count")]
    assert framed.broken[0].rejection.expected == "2 fields, as in the header"
    assert [row[1] for row in rows_of(framed)] == ["1", "2", "3"]


def test_a_field_longer_than_the_csv_modules_limit_is_read(tmp_path: Path) -> None:
    text = f'id,email\n1,{"x" * 200_000}\n"2\n",y\n3,4,5\n'
    framed = framed_of(tmp_path, text, careful=True)
    assert broken_of(framed) == [(3, 5, "wrong_field_count")]
    assert len(rows_of(framed)[0][2]) == 200_000


def test_a_line_beyond_the_engines_limit_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "LONGEST_LINE", 100)
    framed = framed_of(tmp_path, f"id,email\n1,{'x' * 100}\n2,y\n", careful=True)
    assert broken_of(framed) == [(1, 2, "bad_quotes")]
    assert rows_of(framed) == [(2, "2", "y")]


@pytest.mark.parametrize("careful", [False, True], ids=["by the engine", "split here"])
def test_lines_are_found_behind_quotes_and_blank_lines(
    careful: bool, tmp_path: Path
) -> None:
    text = 'id,email\n\n1,"a\na"\n\n2,b\n3,c\n'
    framed = framed_of(tmp_path, text, careful=careful)
    assert len(rows_of(framed)) == framed.record_count == 3
    # 1 header, 2 blank, 3-4 the first record, 5 blank, 6 and 7.
    assert framed.lines_of({1, 2, 3}) == {1: 3, 2: 6, 3: 7}


cells = st.text(alphabet='ab,"\n é', max_size=5)


@settings(max_examples=25)
@given(
    table=st.lists(st.tuples(cells, cells), min_size=1, max_size=6),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_both_ways_of_reading_give_what_the_csv_module_gives(
    table: list[tuple[str, str]], quoting: Any, tmp_path: Path
) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n", quoting=quoting)
    writer.writerows([("id", "email"), *table])
    text = buffer.getvalue()
    expected = [
        (number, first or None, second or None)
        for number, (first, second) in enumerate(table, start=1)
    ]
    for careful in (False, True):
        framed = framed_of(tmp_path, text, careful=careful)
        found = [
            (number, first or None, second or None)
            for number, first, second in rows_of(framed)
        ]
        assert found == expected
        assert framed.record_count == len(table)


def test_a_doubled_column_that_is_read_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="email occurs twice") as caught:
        framed_of(tmp_path, "id,email,Email \n1,a,b\n", careful=False)
    assert (caught.value.reason, caught.value.column) == ("doubled_column", "email")


def test_a_doubled_column_that_nobody_reads_does_no_harm(tmp_path: Path) -> None:
    framed = framed_of(tmp_path, "note,id,email,note\nx,1,a,y\n", careful=False)
    assert rows_of(framed) == [(1, "x", "1", "a", "y")]


@pytest.mark.parametrize(
    "header",
    [",".join(f"c{n}" for n in range(501)), '"open'],
    ids=["five hundred and one columns", "a quote that stays open"],
)
def test_a_header_that_cannot_be_one_is_refused(header: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        read_header(plain_of(tmp_path, header + "\n"), ",")
    assert caught.value.reason == "bad_header"


MARKS = TABLE.replace("[csv, ndjson, json]", "[csv, tsv], delimiter: [',', ';', '|']")


@pytest.mark.parametrize("careful", [False, True], ids=["by the engine", "split here"])
@pytest.mark.parametrize("mark", [",", ";", "|", "\t"])
def test_the_delimiter_that_splits_the_required_columns_counts(
    mark: str, careful: bool, tmp_path: Path
) -> None:
    text = f'id{mark}email{mark}a note\n1{mark}a@example.com{mark}"x,y;z"\n'
    plain = plain_of(tmp_path, text)
    found = recognise(plain, "x", [source_from(tmp_path, MARKS)])
    framed = frame(plain, found, tmp_path / "split", careful=careful)
    assert rows_of(framed) == [(1, "1", "a@example.com", "x,y;z")]


def test_no_delimiter_that_splits_them_names_what_is_nearest(tmp_path: Path) -> None:
    plain = plain_of(tmp_path, "id;mail\n1;a\n")
    with pytest.raises(RefusedError, match="required email") as caught:
        recognise(plain, "x", [source_from(tmp_path, MARKS)])
    assert caught.value.reason == "missing_column"


BARE = TABLE.replace(
    "    reader: {formats: [csv, ndjson, json]}",
    "    file_name: ^opt_outs\n"
    "    reader: {formats: csv, delimiter: [';', ','], header: [id, email, kind]}",
)


@pytest.mark.parametrize("careful", [False, True], ids=["by the engine", "split here"])
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("1,a,x\n2,b,y\n3,c,z\n", {1: 1, 2: 2, 3: 3}, id="plain"),
        pytest.param(
            '\n1,a,x\n\n2,"b\n",y\n3,c,z\n', {1: 2, 2: 4, 3: 6}, id="with blank lines"
        ),
    ],
)
def test_a_table_without_a_header_begins_with_its_first_record(
    text: str, lines: dict[int, int], careful: bool, tmp_path: Path
) -> None:
    plain = plain_of(tmp_path, text)
    found = recognise(plain, "opt_outs_today.csv", [source_from(tmp_path, BARE)])
    framed = frame(plain, found, tmp_path / "split", careful=careful)
    assert framed.header == ("id", "email", "kind")
    assert framed.record_count == 3
    assert [(row[0], row[1]) for row in rows_of(framed)] == [
        (1, "1"),
        (2, "2"),
        (3, "3"),
    ]
    assert framed.lines_of({1, 2, 3}) == lines


def test_a_bad_first_record_of_a_table_without_a_header_is_found(
    tmp_path: Path,
) -> None:
    plain = plain_of(tmp_path, '1,a,x\n2,b\n"3,c,z\n4,d,z\n')
    found = recognise(plain, "opt_outs", [source_from(tmp_path, BARE)])
    framed = frame(plain, found, tmp_path / "split", careful=True)
    assert broken_of(framed) == [(2, 2, "wrong_field_count"), (3, 3, "bad_quotes")]


def test_a_table_without_a_header_has_the_columns_named(tmp_path: Path) -> None:
    plain = plain_of(tmp_path, "1,jane@example.com\n")
    with pytest.raises(RefusedError, match="lacks the required 3 columns") as caught:
        recognise(plain, "opt_outs", [source_from(tmp_path, BARE)])
    assert "jane" not in caught.value.detail
    with pytest.raises(RefusedError, match="No mapping reads"):
        recognise(plain, "others", [source_from(tmp_path, BARE)])


# -- JSON ------------------------------------------------------------------------


def test_a_blank_line_keeps_its_number(tmp_path: Path) -> None:
    framed = framed_of(
        tmp_path, '{"id":1,"email":"a"}\n\n{"id":2,"email":"b"}\n', careful=False
    )
    assert [number for number, _ in rows_of(framed)] == [1, 3]
    assert framed.record_count == 2
    assert framed.lines_of({3}) == {3: 3}


@pytest.mark.parametrize(
    "bad",
    ["x" * 2_000_000, '{"a":"\x01"}'],
    ids=["longer than the engine reads", "with a control character"],
)
def test_a_line_the_engine_would_stumble_over_is_split_off(
    bad: str, tmp_path: Path
) -> None:
    good = '{"id":1,"email":"a"}'
    framed = framed_of(tmp_path, f"{good}\n{bad}\n{good}\n", careful=True)
    assert broken_of(framed) == [(2, 2, "bad_json")]
    assert rows_of(framed) == [(1, good), (3, good)]


def test_a_document_gives_one_record_an_object_and_numbers_stay_text(
    tmp_path: Path,
) -> None:
    digits = "123456789012345678901234567890"
    text = f'[{{"id": {digits}, "email": "a"}},\n {{"id": 1.10, "email": "b"}}]'
    framed = framed_of(tmp_path, text, careful=False)
    found = [json.loads(record) for _, record in rows_of(framed)]
    assert [record["id"] for record in found] == [digits, "1.10"]
    assert framed.lines_of({1}) == {}


def test_half_a_surrogate_pair_costs_nothing_but_its_record(tmp_path: Path) -> None:
    text = '[{"id": 1, "email": "\\ud83d"}, {"id": 2, "email": "\\ud83d\\ude00"}]'
    rows = rows_of(framed_of(tmp_path, text, careful=False))
    valid = "select json_valid(?), json_valid(?)"
    found = engine().execute(valid, [rows[0][1], rows[1][1]]).fetchone()
    assert found == (False, True)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param('[{"id": 1},\n {"id": 2}', 2, id="cut"),
        pytest.param("[" * 5000, None, id="nested without an end"),
        pytest.param('[{"id": 1, "email": "a"}, 7]', None, id="not only objects"),
    ],
)
def test_a_document_that_is_none_is_refused(
    text: str, line: int | None, tmp_path: Path
) -> None:
    plain = plain_of(tmp_path, text)
    found = Recognised(source_from(tmp_path), source_from(tmp_path).exports[0], "json")
    with pytest.raises(RefusedError) as caught:
        frame(plain, found, tmp_path / "split", careful=False)
    assert (caught.value.reason, caught.value.line) == ("bad_json", line)


def test_a_document_too_large_to_parse_is_refused_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "LARGEST_DOCUMENT", 10)
    with pytest.raises(RefusedError, match="one JSON object a line") as caught:
        framed_of(tmp_path, '[{"id": 1, "email": "a"}]', careful=False)
    assert caught.value.reason == "too_large"


POSTS = """\
[{"id":1,"email":"a"},{"id":2,"email":"b"}]

{"id":3,"email":"c"}
[]
 [{"id":4,"email":"d"}, 7, null]
[{"id":5,
{"batch":[{"id":6,"email":"f"}]}
"""


@pytest.mark.parametrize("careful", [False, True], ids=["by the engine", "split here"])
def test_a_line_of_several_is_one_record_and_an_empty_post_has_none(
    careful: bool, tmp_path: Path
) -> None:
    framed = framed_of(tmp_path, POSTS, careful=careful)
    found = engine().execute(
        f"select record_number, post_item, record from ({framed.relation}) order by all"
    )
    assert found.fetchall() == [
        (1, 1, '{"id":1,"email":"a"}'),
        (1, 2, '{"id":2,"email":"b"}'),
        (3, 1, '{"id":3,"email":"c"}'),
        (4, 1, None),
        (5, 1, '{"id":4,"email":"d"}'),
        (5, 2, "7"),
        (5, 3, "null"),
        (6, 1, '[{"id":5,'),
        (7, 1, '{"batch":[{"id":6,"email":"f"}]}'),
    ]
    assert framed.record_count == 6
    assert framed.lines_of({5}) == {5: 5}


def test_plain_lines_are_read_as_if_there_were_no_posts(tmp_path: Path) -> None:
    text = '{"id":1,"email":"a","tags":["x"]}\n{"id":2,"email":"[b"}\n'
    framed = framed_of(tmp_path, text, careful=False)
    assert not framed.has_posts
    assert "post_item" not in framed.relation


FORMS = TABLE.replace(
    "{formats: [csv, ndjson, json]}",
    "{formats: [ndjson, json], form_field: 'the[events]', items: $.batch}",
)


def form(value: Any, **others: str) -> str:
    return urlencode(others | {"the[events]": json.dumps(value)}, safe="[]")


def test_lines_may_be_forms_with_json_in_a_field(tmp_path: Path) -> None:
    event = {"id": "1+1", "email": "caf\u00e9 & co=\n"}
    lines = [
        form([event, event], a="x&the[events]=y"),
        form(event),
        "a=1&other[the[events]=%5B%5D",
        form([]),
        form({"batch": [event]}) + "&z=%ff",
        "the[events]=%5B%ff%5D",
        "the[events]=",
    ]
    plain = plain_of(tmp_path, "\n".join(lines) + "\n")
    found = recognise(plain, "x", [source_from(tmp_path, FORMS)])
    framed = frame(plain, found, tmp_path / "split", careful=False)
    sql = (
        f"select record_number, post_item, record from ({framed.relation}) order by all"
    )
    rows = [
        (number, item, record if record in (None, "") else json.loads(record))
        for number, item, record in engine().execute(sql).fetchall()
    ]
    assert rows == [
        (1, 1, event),
        (1, 2, event),
        (2, 1, event),
        (3, 1, ""),
        (4, 1, None),
        (5, 1, event),
        (6, 1, ""),
        (7, 1, ""),
    ]
    assert framed.record_count == 7
    assert framed.lines_of({5}) == {5: 5}


def test_a_mapping_of_forms_reads_plain_json_too(tmp_path: Path) -> None:
    plain = plain_of(tmp_path, json.dumps(RECORDS))
    found = recognise(plain, "x", [source_from(tmp_path, FORMS)])
    assert found.layout == "json"


def test_a_form_without_the_field_is_nobodys(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="No mapping reads"):
        plain = plain_of(tmp_path, form(RECORDS).replace("the", "their"))
        recognise(plain, "x", [source_from(tmp_path, FORMS)])


# -- what a text is --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        pytest.param("id,email\n", "table", id="a header"),
        pytest.param('{"a":1}\n{"a":2}\n', "ndjson", id="objects a line"),
        pytest.param('{"a":1}', "ndjson", id="one object"),
        pytest.param('{"a":1\n{"a":2}\n', "ndjson", id="first line broken"),
        pytest.param(
            'oops\n{"a":2}\n{"a":3}\n', "ndjson", id="first line no JSON at all"
        ),
        pytest.param('\n\n{"a":1}\n', "ndjson", id="behind blank lines"),
        pytest.param(
            '{"a":' + "9" * 5000 + "}\n", "ndjson", id="a number of 5,000 digits"
        ),
        pytest.param('[1, 2]\n{"a":1}\n', "ndjson", id="first line a list"),
        pytest.param('[{"a":1}]', "json", id="an array"),
        pytest.param('\n[{"a":1}]\n\n', "json", id="an array between blank lines"),
        pytest.param('[{"a":1}]\n[]\n', "ndjson", id="arrays a line"),
        pytest.param('[{"a":1},\n{"a":2}]', "json", id="an array of two lines"),
        pytest.param('[\n{"a":1},\n{"a":2}\n]', "json", id="an array of lines"),
        pytest.param(
            '{\n "a": [\n  {"b": 1}\n ]\n}\n', "json", id="a printed document"
        ),
        pytest.param(
            '{"a": [\n{"b": 1},\n{"b": 2}\n]}', "json", id="an object a line in it"
        ),
        pytest.param('{"a":' * 50_000 + "\n", "json", id="nested without an end"),
    ],
)
def test_first_lines_tell_what_a_text_is(
    text: str, layout: str, tmp_path: Path
) -> None:
    assert layout_of(plain_of(tmp_path, text)) == layout


ITEMS = TABLE.replace(
    "formats: [csv, ndjson, json]", "formats: [ndjson, json], items: $.batch"
)


RECORDS = [{"id": 1, "email": "a"}, {"id": 2, "email": "b"}]


@pytest.mark.parametrize("indent", [None, 1], ids=["on one line", "printed"])
@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"batch": RECORDS}, id="a page"),
        pytest.param([{"batch": RECORDS[:1]}, {"batch": RECORDS[1:]}], id="pages"),
        pytest.param([{"batch": RECORDS[0]}, RECORDS[1]], id="pages of one and none"),
        pytest.param([RECORDS[:1], [], RECORDS[1:]], id="posts"),
    ],
)
def test_a_document_with_its_records_inside_is_recognised(
    document: Any, indent: int | None, tmp_path: Path
) -> None:
    plain = plain_of(tmp_path, json.dumps(document, indent=indent))
    found = recognise(plain, "x", [source_from(tmp_path, ITEMS)])
    rows = rows_of(frame(plain, found, tmp_path / "split", careful=False))
    assert [json.loads(record)["email"] for _, record in rows] == ["a", "b"]


@pytest.mark.parametrize("count", [1, 3], ids=["a page on one line", "pages a line"])
def test_lines_may_be_pages(count: int, tmp_path: Path) -> None:
    only_lines = ITEMS.replace("[ndjson, json]", "ndjson")
    plain = plain_of(tmp_path, (json.dumps({"batch": RECORDS}) + "\n") * count)
    found = recognise(plain, "x", [source_from(tmp_path, only_lines)])
    rows = rows_of(frame(plain, found, tmp_path / "split", careful=False))
    assert len(rows) == 2 * count


def test_one_post_alone_is_read_by_a_mapping_of_lines_too(tmp_path: Path) -> None:
    only_lines = TABLE.replace("[csv, ndjson, json]", "ndjson")
    plain = plain_of(tmp_path, json.dumps(RECORDS))
    found = recognise(plain, "x", [source_from(tmp_path, only_lines)])
    framed = frame(plain, found, tmp_path / "split", careful=False)
    assert (found.layout, framed.record_count, len(rows_of(framed))) == ("ndjson", 1, 2)


@pytest.mark.parametrize(
    "header",
    ["id,email", "email,id", "ID, Email ,more", "Event Id,EMAIL", '"id","email"'],
)
def test_a_header_is_met_by_name_in_any_order_and_case(
    header: str, tmp_path: Path
) -> None:
    plain = plain_of(tmp_path, header + "\n")
    assert recognise(plain, "x", [source_from(tmp_path)]).export.name == "events"


def test_the_mapping_that_asks_for_most_wins(tmp_path: Path) -> None:
    narrow = TABLE.replace(
        "kind: {column: kind}", "kind: {column: kind, required: true}"
    )
    sources = [source_from(tmp_path), source_from(tmp_path, narrow, "narrow")]
    wide = recognise(plain_of(tmp_path, "id,email\n"), "x", sources)
    assert wide.source.source == "acme"
    both = recognise(plain_of(tmp_path, "id,email,kind\n"), "x", sources)
    assert both.source.source == "narrow"


def test_two_mappings_that_fit_equally_are_named(tmp_path: Path) -> None:
    sources = [source_from(tmp_path), source_from(tmp_path, name="twin")]
    with pytest.raises(RefusedError, match="acme/events, twin/events") as caught:
        recognise(plain_of(tmp_path, "id,email\n"), "x", sources)
    assert caught.value.reason == "ambiguous_export"


def test_a_file_name_may_be_part_of_what_a_file_is(tmp_path: Path) -> None:
    text = TABLE.replace("    reader:", "    file_name: ^left_\n    reader:")
    source = source_from(tmp_path, text)
    plain = plain_of(tmp_path, "id,email\n")
    assert recognise(plain, "left_today.csv", [source]).export.name == "events"
    with pytest.raises(RefusedError):
        recognise(plain, "joined_today.csv", [source])


@pytest.mark.parametrize(
    ("text", "reason", "column"),
    [
        pytest.param(
            "id,mail\n1,a\n", "missing_column", "email", id="one column short"
        ),
        pytest.param("a;b\n", "unknown_export", "id", id="another delimiter"),
        pytest.param("1,jane@example.com\n", "unknown_export", "id", id="no header"),
        pytest.param('{"id":1}\n', "missing_column", '$."email"', id="a path short"),
    ],
)
def test_an_unknown_file_is_refused_with_what_it_lacks_and_no_value(
    text: str, reason: str, column: str, tmp_path: Path
) -> None:
    with pytest.raises(RefusedError) as caught:
        recognise(plain_of(tmp_path, text), "x", [source_from(tmp_path)])
    refused = caught.value
    assert (refused.reason, refused.column) == (reason, column)
    assert "acme/events" in refused.detail
    assert "jane" not in refused.detail


def test_a_header_that_another_delimiter_breaks_is_read_by_its_own(
    tmp_path: Path,
) -> None:
    # Divided by semicolons, text follows the closing quote of the first name.
    other = TABLE.replace(
        "{formats: [csv, ndjson, json]}", '{formats: csv, delimiter: ";"}'
    )
    sources = [source_from(tmp_path, other, "other"), source_from(tmp_path)]
    plain = plain_of(tmp_path, '"id","email"\n')
    assert recognise(plain, "x", sources).source.source == "acme"
    with pytest.raises(RefusedError) as caught:
        recognise(plain, "x", sources[:1])
    assert caught.value.reason == "bad_header"


@pytest.mark.parametrize(
    "text",
    ['[\n{"id": 1, "email": "a"}\n]', '{"id": 1, "email": "a"}\n{"id": 2}\n'],
    ids=["a document", "lines"],
)
def test_a_text_is_sampled_once_however_many_mappings_there_are(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = plain_of(tmp_path, text)
    sources = [source_from(tmp_path, TABLE, f"other{number}") for number in range(5)]
    parse = json.loads
    parsed = []

    def count(text: str, **how: Any) -> Any:
        parsed.append(text)
        return parse(text, **how)

    monkeypatch.setattr(documents.json, "loads", count)
    assert recognise(plain, "x", sources[:1]).source is sources[0]
    of_one = len(parsed)
    with pytest.raises(RefusedError, match="Fits other0/events, other1/events"):
        recognise(plain, "x", sources)
    assert len(parsed) == 2 * of_one > 0


def test_a_layout_nobody_reads_is_refused(tmp_path: Path) -> None:
    only_tables = TABLE.replace("formats: [csv, ndjson, json]", "formats: csv")
    with pytest.raises(RefusedError, match="No mapping reads") as caught:
        source = source_from(tmp_path, only_tables)
        recognise(plain_of(tmp_path, '{"id":1}\n'), "x", [source])
    assert caught.value.reason == "unknown_export"
