"""Checks the SQL scalar expressions of a mapping against an allow-list.

Files come from strangers and mappings from colleagues: an expression may name inputs,
literals, the listed functions and keywords, and nothing else. It never reaches a
table, a file or a setting.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import TokenError
from sqlglot.tokens import Token, TokenType

from dagster_project.mapping.document import MappingError, Place, choices

CONVERSIONS = {
    "to_count": "a whole number, 0 or more",
    "to_utc": "a moment as the mapping declares (zone, formats)",
    "to_percent": "a rate in percent",
    "to_number": "a number",
    "to_flag": "yes/no, true/false or 1/0",
}
"""Our documented macros and what each expects to read."""

FUNCTIONS = frozenset(CONVERSIONS) | {
    *("coalesce", "nullif", "if", "greatest", "least"),
    *("lower", "upper", "trim", "concat", "concat_ws", "replace", "left", "right"),
    *("substr", "length", "contains", "starts_with", "ends_with", "split_part"),
    *("regexp_matches", "regexp_full_match", "regexp_extract", "regexp_replace"),
    *("regexp_extract_all", "string_split", "md5", "url_decode"),
    *("json_extract_string", "json_keys", "list_contains", "list_value", "url_kind"),
}

KEYWORDS = frozenset(
    {
        *("case", "when", "then", "else", "end", "and", "or", "not", "in", "is"),
        *("null", "true", "false", "like", "ilike", "between"),
    }
)
_PUNCTUATION = frozenset(
    {
        TokenType.L_PAREN,
        TokenType.R_PAREN,
        TokenType.L_BRACKET,
        TokenType.R_BRACKET,
        TokenType.COMMA,
        TokenType.PLUS,
        TokenType.DASH,
        TokenType.STAR,
        TokenType.SLASH,
        TokenType.EQ,
        TokenType.NEQ,
        TokenType.LT,
        TokenType.LTE,
        TokenType.GT,
        TokenType.GTE,
        TokenType.DPIPE,
        TokenType.STRING,
        TokenType.NUMBER,
    }
)
_NESTING = {
    TokenType.L_PAREN: 1,
    TokenType.L_BRACKET: 1,
    TokenType.R_PAREN: -1,
    TokenType.R_BRACKET: -1,
}


@dataclass(frozen=True)
class Expression:
    """A checked scalar expression.

    Attributes:
        sql: its text, safe to place in a select list.
        conversions: (macro, name) pairs it applies to a bare name, so that a value
            which cannot be converted rejects its record.
    """

    sql: str
    conversions: tuple[tuple[str, str], ...]


def check(sql: str, names: frozenset[str], where: Place | str) -> Expression:
    """Check one expression.

    Args:
        sql: the text from the mapping.
        names: the inputs and lets it may use.
        where: file and path inside it, for the message.

    Raises:
        MappingError: naming the first thing that is not allowed.
    """
    try:
        tokens = DuckDB().tokenize(sql)
    except TokenError:
        raise MappingError(f"{where}: not an SQL expression: {sql!r}") from None
    if not tokens:
        raise MappingError(f"{where}: expected an SQL expression, found none")
    conversions = []
    depth = 0
    for position, token in enumerate(tokens):
        rest = tokens[position + 1 : position + 4]
        written = sql[token.start : token.end + 1]
        _check_token(token, written, rest, names, where)
        depth += _NESTING.get(token.token_type, 0)
        if depth < 0:
            break
        pair = _conversion(token, rest, names)
        if pair:
            conversions.append(pair)
    if depth:
        raise MappingError(f"{where}: brackets do not pair up in {sql!r}")
    return Expression(sql.strip(), tuple(conversions))


def _check_token(
    token: Token,
    written: str,
    rest: list[Token],
    names: frozenset[str],
    where: Place | str,
) -> None:
    if token.comments:
        raise MappingError(f"{where}: no comments inside an expression")
    if token.token_type in _PUNCTUATION:
        return
    # As it stands there: another kind of quote could hold a name and mean a text.
    word = written.lower()
    is_call = bool(rest) and rest[0].token_type == TokenType.L_PAREN
    if is_call and word in FUNCTIONS:
        return
    if word in KEYWORDS or (not is_call and written in names):
        return
    kind = "function" if is_call else "name"
    known = choices(written, FUNCTIONS if is_call else names)
    raise MappingError(
        f"{where}: `{written}` is no known {kind}; expected one of {known}"
    )


def _conversion(
    token: Token, rest: list[Token], names: frozenset[str]
) -> tuple[str, str] | None:
    shape = [part.token_type for part in rest]
    if (
        token.text in CONVERSIONS
        and len(rest) == 3
        and (shape[0], shape[2]) == (TokenType.L_PAREN, TokenType.R_PAREN)
        and rest[1].text in names
    ):
        return token.text, rest[1].text
    return None
