"""A mapping's expression reaches its record and nothing else."""

from __future__ import annotations

import pytest

from dagster_project.mapping.expression import FUNCTIONS, Expression, check
from dagster_project.mapping.model import MappingError

NAMES = frozenset({"sent", "email", "kind"})


@pytest.mark.parametrize(
    "sql",
    [
        "sent",
        "'it''s a literal; -- and no comment'",
        "coalesce(email, kind, 'x')",
        "case kind when 'a' then 1.5 when 'b' then -2 else null end",
        "case when kind in ('a', 'b') and not sent is null then true else false end",
        "kind like 'a%' or kind ilike '_B' or sent between '1' and '2'",
        "(sent || email) <> kind",
        "to_count(sent) - to_count(kind) * 2 / 3 >= 0",
        "json_extract_string(kind, '$[*].a')[1]",
        "REGEXP_MATCHES(Lower(kind), 'x|y')",
        "case\n  when kind = 'ü☀𝄞'\n  then sent end",
    ],
)
def test_inputs_literals_and_listed_functions_are_allowed(sql: str) -> None:
    assert check(sql, NAMES, "x").sql == sql


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("", id="nothing"),
        pytest.param("-- sent", id="a comment alone"),
        pytest.param("sent -- more", id="a comment behind"),
        pytest.param("/* x */ sent", id="a comment before"),
        pytest.param("coalesce(sent /* x */, kind)", id="a comment inside"),
        pytest.param("sent; drop table raw_records", id="a second statement"),
        pytest.param("(select email from raw_records)", id="a subquery"),
        pytest.param("exists (select 1)", id="exists"),
        pytest.param("sent in (from raw_records)", id="from first"),
        pytest.param("read_csv('/etc/passwd')", id="a file"),
        pytest.param("read_text('/etc/passwd')", id="a text file"),
        pytest.param("getenv('HOME')", id="the environment"),
        pytest.param("current_setting('threads')", id="a setting"),
        pytest.param("query('select 1')", id="a query function"),
        pytest.param("getvariable('x')", id="a variable"),
        pytest.param("raw_records", id="a table"),
        pytest.param('"raw_records"', id="a quoted table"),
        pytest.param("\"read_csv\"('x')", id="a quoted function"),
        pytest.param("record", id="the whole record"),
        pytest.param("other_name", id="an unknown name"),
        pytest.param("Sent", id="a name in another case"),
        pytest.param("main.sent", id="a qualified name"),
        pytest.param("sent::json", id="a cast"),
        pytest.param("cast(sent as json)", id="a cast by word"),
        pytest.param("sent = $1", id="a parameter"),
        pytest.param("sent = ?", id="an anonymous parameter"),
        pytest.param("$$sent$$", id="a dollar quote"),
        pytest.param("e'\\x41'", id="an escape string"),
        pytest.param("n'sent'", id="a national string"),
        pytest.param("lambda x: x", id="a lambda"),
        pytest.param("{'a': sent}", id="a struct"),
        pytest.param("sent order by 1", id="an order"),
        pytest.param("sum(to_count(sent)) over ()", id="a window"),
        pytest.param("sent as x", id="an alias"),
        pytest.param("lower", id="a function without a call"),
        pytest.param("email(sent)", id="a call of a name"),
        pytest.param("lower(sent", id="an open bracket"),
        pytest.param("sent), (kind", id="two columns by brackets"),
        pytest.param("'open", id="an open literal"),
    ],
)
def test_anything_else_is_refused_with_its_place(sql: str) -> None:
    with pytest.raises(MappingError, match=r"^acme/source\.yaml: fields\.x: "):
        check(sql, NAMES, "acme/source.yaml: fields.x")


def test_a_refusal_names_the_culprit_and_what_is_known() -> None:
    with pytest.raises(
        MappingError, match=r"`sunt` is no known name; expected one of sent,"
    ):
        check("sunt", NAMES, "x")
    with pytest.raises(MappingError, match="`to_number_of` is no known function"):
        check("to_number_of(sent)", NAMES, "x")


def test_conversions_of_a_bare_name_are_reported() -> None:
    sql = "case when to_flag(kind) then to_count(sent) + to_count(lower(email)) end"
    assert check(sql, NAMES, "x") == Expression(
        sql, (("to_flag", "kind"), ("to_count", "sent"))
    )


def test_no_listed_function_reaches_outside_its_arguments() -> None:
    reaching = ("read", "glob", "env", "setting", "query", "variable", "pragma", "copy")
    assert [name for name in FUNCTIONS if any(word in name for word in reaching)] == []
