"""Compiles one export of a mapping to one DuckDB ``select`` over raw records.

The raw relation is ``raw_records(record_number, c0, c1, ...)`` for a table-like file
or ``raw_records(record_number, record)`` for JSON; with ``post_item`` where a record is
a post of several, whose record is NULL when it holds none. The result has a row an item
with every field of the landing table, and beside them what the landing engine still
needs: ``address``, ``reason_text``, ``key_text``, ``rejection``, ``skipped``,
``unmapped``.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

from dagster_project.mapping.canonical import FIELDS, HAS_PERSON, Column, Kind
from dagster_project.mapping.document import Place, choices
from dagster_project.mapping.expression import (
    CONVERSIONS,
    FUNCTIONS,
    KEYWORDS,
    Expression,
    check,
)
from dagster_project.mapping.links import url_kind_sql
from dagster_project.mapping.model import (
    UNIX_UNITS,
    Export,
    Input,
    MappingError,
    Source,
)
from dagster_project.mapping.vocabulary import Vocabulary

_MACRO_OF: dict[Kind, str] = {
    "count": "to_count",
    "time": "to_utc",
    "flag": "to_flag",
    "percent": "to_percent",
    "number": "to_number",
}
RESERVED = (
    KEYWORDS
    | FUNCTIONS
    | {
        *("record", "record_number", "is_broken", "texts", "inside"),
        *("post_item", "is_empty_post"),
        *("item", "item_number", "rule_number", "skip_number"),
    }
)
"""Names a mapping may not give away: they already mean something in the SQL."""
_MARK = "--@ "
"""Begins a line of SQL that names the path of the expression behind it."""
_TELEPHONE = r"^\+?[0-9 ().-]{6,}$"
"""Text messages in an export of mail; their people are not on a mailing list."""

_EMPTY_POST = "empty_post"
"""Why a post of no record is skipped: nothing happened, and nothing is lost."""

_EARLIEST = "timestamp '2000-01-01'"
_ZONED = r"(Z|[+-]\d\d:?\d\d)$"
_LOCAL = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.]\d+)?)?)?"
_MARKED_UTC = r"( ?(Z|UTC)|[+-]00:?00)?"


def quote(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Rejection:
    """Why a record cannot land: the column as the file names it, never a value."""

    reason: str
    column: str
    expected: str


@dataclass(frozen=True)
class Circumstances:
    """What one file brings to its mapping.

    Attributes:
        zone: the account's declared IANA zone.
        settings: the source's settings for this account.
        now: naive UTC; later events are rejected.
        exported_at: when the export was made, where its records do not say.
        header: the file's column names in order; None for JSON.
        name: the file's own name, or that of the member inside a container.
        sidecar: what the file beside the export says.
        has_typed_cells: whether moments were moments in the file (a workbook) and
            reach us as ISO 8601, however the export would print them.
        has_posts: whether a record may be a post of several.
    """

    zone: str
    settings: Mapping[str, str]
    now: datetime
    exported_at: datetime
    header: tuple[str, ...] | None
    name: str = ""
    sidecar: Mapping[str, str] = field(default_factory=dict)
    has_typed_cells: bool = False
    has_posts: bool = False


@dataclass
class Compiled:
    """SQL for one file.

    Attributes:
        macros: statements that define the conversions as this export writes values.
        select: one row an item, see the module docstring.
        rejections: what ``rejection`` n (1-based) means.
        skips: what ``skipped`` n (1-based) means.
        key_has_person: whether the event key includes the contact key.
        can_fan_out: whether one record may give several rows.
        place: of the export in its file.
    """

    macros: list[str]
    select: str
    rejections: list[Rejection] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)
    key_has_person: bool = False
    can_fan_out: bool = False
    place: Place | None = None

    def place_of(self, line: int) -> Place | None:
        """Which expression of the mapping gave a line of ``select``, counted from 1."""
        lines = self.select.split("\n")[:line]
        marks = [text[len(_MARK) :] for text in lines if text.startswith(_MARK)]
        if self.place is None or not marks:
            return self.place
        parts = [part for part in marks[-1].split(".") if part]
        return self.place.at(*(int(p) if p.isdigit() else p for p in parts))


def header_index(entry: Input, header: tuple[str, ...]) -> int | None:
    """Where the header has the input, compared without case and outer blanks."""
    places = {
        name.strip().casefold(): at for at, name in reversed([*enumerate(header)])
    }
    for column in entry.column:
        if column.strip().casefold() in places:
            return places[column.strip().casefold()]
    return None


def outside_record(entry: Input, name: str, sidecar: Mapping[str, str]) -> str | None:
    """What the sidecar, else the file's name, says where the record does not."""
    for key in entry.sidecar:
        if sidecar.get(key):
            return sidecar[key]
    found = re.search(entry.file_name, name) if entry.file_name else None
    return found[1] if found else None


def compile_export(
    source: Source,
    export: Export,
    circumstances: Circumstances,
    words: Mapping[str, Vocabulary],
) -> Compiled:
    """Compile one export for one file.

    Raises:
        MappingError: for an expression or a word that is not allowed.
    """
    return _Compiler(source, export, circumstances, words).compile()


class _Compiler:
    def __init__(
        self,
        source: Source,
        export: Export,
        circumstances: Circumstances,
        words: Mapping[str, Vocabulary],
    ) -> None:
        self.source = source
        self.export = export
        self.file = circumstances
        self.words = words
        self.rejections: list[tuple[Rejection, str]] = []
        place = [entry is export for entry in source.exports].index(True)
        self.place = Place(source.folder / "source.yaml", ("exports", place))
        given = [
            *(*export.inputs, *export.let, *source.settings),
            *self._transform_columns(),
        ]
        for name in given:
            if name in RESERVED or given.count(name) > 1:
                key = "let" if name in export.let else "inputs"
                raise MappingError(
                    f"{self._where(key, name)}: the name is taken; choose another"
                )
        self.names = frozenset(given) | ({"item"} if export.reader.explode else set())

    def compile(self) -> Compiled:
        skips = [rule.why for rule in self.export.skip]
        skips += [rule.skip for rule in self.export.events if rule.skip]
        skips += [_EMPTY_POST] if self.file.has_posts else []
        ctes = {
            "inputs": self._inputs(),
            "named": self._named(),
            "items": self._items(),
            "shaped": self._shaped(),
            "ruled": self._ruled(),
            "fields": self._fields(),
        }
        # Read more than once below: without the hint every reading parses again.
        kept = {"named": self.export.reader.explode, "items": self.export.transform}
        body = ",\n".join(
            f"{name} as {'materialized ' if kept.get(name) else ''}(\n{sql}\n{_MARK}\n)"
            for name, sql in ctes.items()
        )
        return Compiled(
            macros=self._macros(),
            select=f"with {body}\n{self._judged()}",
            rejections=[rejection for rejection, _ in self.rejections],
            skips=skips,
            key_has_person="contact_key" in self.export.key,
            can_fan_out=self._can_fan_out,
            place=self.place,
        )

    @property
    def _can_fan_out(self) -> bool:
        reader = self.export.reader
        return bool(reader.explode or self.export.transform or self.file.has_posts)

    # -- records to texts --------------------------------------------------------

    def _inputs(self) -> str:
        constants = [
            f"{quote(self.file.settings.get(name, setting.default))} as {name}"
            for name, setting in self.source.settings.items()
        ]
        if self.file.header is not None:
            columns = [
                f"{self._or_outside(self._table_input(entry), entry)} as {name}"
                for name, entry in self.export.inputs.items()
            ]
            select = ["record_number", "false as is_broken", *constants, *columns]
            return f"select {', '.join(select)} from raw_records"
        places: list[str] = []
        columns = [
            f"{self._or_outside(self._json_input(entry, places), entry)} as {name}"
            for name, entry in self.export.inputs.items()
        ]
        select = [*self._place, "is_broken", *constants, *columns]
        paths = ", ".join(quote(path) for path in places)
        is_broken = "record is null" + (
            " and not is_empty_post" if self.file.has_posts else ""
        )
        return (
            f"select {', '.join(select)} from (\n"
            f"select {', '.join(self._place)}, {is_broken} as is_broken,\n"
            f"json_extract_string(record, [{paths}]) as texts\n"
            f"from ({self._records()}))"
        )

    def _or_outside(self, found: str | None, entry: Input) -> str:
        """The record's own text, else what stands beside it; one text for all."""
        given = outside_record(entry, self.file.name, self.file.sidecar)
        constant = "cast(null as varchar)" if given is None else quote(given.strip())
        if found is None:
            return constant
        return found if given is None else f"coalesce({found}, {constant})"

    def _table_input(self, entry: Input) -> str | None:
        assert self.file.header is not None
        place = header_index(entry, self.file.header)
        return None if place is None else self._clean(f"c{place}")

    def _json_input(self, entry: Input, places: list[str]) -> str | None:
        if not entry.is_in_record:
            return None
        texts = []
        for path in entry.json_paths:
            places.append(path)
            texts.append(self._clean(f"texts[{len(places)}]"))
        return texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"

    @property
    def _place(self) -> list[str]:
        """Columns that say which record, and which item of a post."""
        posted = ["post_item", "is_empty_post"] if self.file.has_posts else []
        return ["record_number", *posted]

    def _records(self) -> str:
        raw = "raw_records"
        if self.file.has_posts:
            raw = "(select *, record is null as is_empty_post from raw_records)"
        place = ", ".join(self._place)
        valid = (
            f"select {place}, case when json_valid(record)"
            " and starts_with(ltrim(record), '{') then record end as record"
            f" from {raw}"
        )
        unwrap = self.export.reader.unwrap
        if not unwrap:
            return valid
        # The substring test is far cheaper than parsing, and most files are plain.
        keys = [path.rsplit(".", 1)[-1].strip('"') for path in unwrap]
        listed = ", ".join(quote(path) for path in unwrap)
        wraps = " or ".join(f"contains(record, {quote(chr(34) + key)})" for key in keys)
        inner = (
            f"list_filter(json_extract_string(record, [{listed}]),"
            " lambda found: found is not null)"
        )
        return (
            f"select {place}, case when inside is not null and json_valid(inside)"
            " and starts_with(ltrim(inside), '{') then inside else record end as record"
            f" from (select *, case when {wraps} then ({inner})[1] end as inside"
            f" from ({valid}))"
        )

    def _clean(self, value: str) -> str:
        tokens = [token.casefold() for token in self.export.reader.null_tokens]
        if not tokens:
            return f"nullif(trim({value}), '')"
        listed = ", ".join(quote(token) for token in ["", *tokens])
        return (
            f"case when lower(trim({value})) not in ({listed}) then trim({value}) end"
        )

    # -- texts to items ----------------------------------------------------------

    def _named(self) -> str:
        known = set(self.export.inputs) | set(self.source.settings)
        columns = []
        for name, sql in self.export.let.items():
            expression = check(sql, frozenset(known), self._where("let", name))
            columns.append(f"{_marked(expression.sql, 'let', name)}\nas {name}")
            known.add(name)
        return f"select {', '.join(['*', *columns])} from inputs"

    def _items(self) -> str:
        explode = self.export.reader.explode
        if explode is None:
            number = "post_item" if self.file.has_posts else "1"
            return f"select *, {number} as item_number from named"
        if explode not in self.export.let:
            raise MappingError(
                f"{self._where('reader', 'explode')}: `{explode}` is no `let`; expected"
                f" one of {choices(explode, self.export.let) or 'a let'}"
            )
        exploded = (
            f"select *, unnest({explode}) as item,"
            f" generate_subscripts({explode}, 1) as item_number from named"
            f" where len({explode}) > 0\n"
            "union all\n"
            "select *, cast(null as varchar) as item, 1 as item_number from named"
            f" where coalesce(len({explode}), 0) = 0"
        )
        return self._renumbered(exploded)

    def _renumbered(self, items: str) -> str:
        """Counts the items of a whole post where each of its records has several."""
        if not self.file.has_posts:
            return items
        return (
            "select * replace (row_number() over (partition by record_number"
            " order by post_item, item_number) as item_number)"
            f" from ({items})"
        )

    def _transform_columns(self) -> tuple[str, ...]:
        if not self.export.transform:
            return ()
        module = _load_transform(self.source.transform_path)
        columns: tuple[str, ...] = module.COLUMNS
        return columns

    def _shaped(self) -> str:
        if not self.export.transform:
            return "select * from items"
        relation: Callable[[str], str] = _load_transform(
            self.source.transform_path
        ).relation
        return self._renumbered(relation("items"))

    def _ruled(self) -> str:
        rules = [rule.when for rule in self.export.events if rule.when]
        skips = self._first("skip", [rule.when for rule in self.export.skip])
        if self.file.has_posts:
            last = sum(bool(rule.skip) for rule in self.export.events) + 1
            last += len(self.export.skip)
            skips = f"case when is_empty_post then {last} else {skips} end"
        return (
            f"select *, {self._first('events', rules)} as rule_number,"
            f" {skips} as skip_number from shaped"
        )

    def _first(self, key: str, conditions: list[str]) -> str:
        """Number of the first condition that holds, 0 when none does."""
        steps = []
        for number, condition in enumerate(conditions, start=1):
            path = (key, number - 1, "when")
            checked = check(condition, self.names, self._where(*path))
            steps.append(f"when {_marked(checked.sql, *path)}\nthen {number}")
        return f"case {' '.join(steps)} else 0 end" if steps else "0"

    # -- items to fields ---------------------------------------------------------

    def _fields(self) -> str:
        self._reject("bad_json", "record", "one JSON object a line", "is_broken")
        columns = ["record_number", "item_number", "rule_number", "skip_number"]
        for column in FIELDS[self.export.lands]:
            columns.append(f"{self._value(column)}\nas {column.name}")
        if self.export.lands in HAS_PERSON:
            columns.append(f"{self._address()}\nas address")
        columns.append(f"{self._reason_text()} as reason_text")
        columns.append(f"{self._key_text()} as key_text")
        columns.extend(self._derived())
        bad = [
            f"when {condition} then {number}"
            for number, (_, condition) in enumerate(self.rejections, start=1)
        ]
        columns.append(f"case {' '.join(bad)} end as conversion_rejection")
        return f"select {', '.join(columns)} from ruled"

    def _value(self, column: Column) -> str:
        given = self.export.fields.get(column.name)
        value = (
            f"cast(null as {column.sql_type})"
            if given is None
            else self._field(column, given)
        )
        decided = self._decided_by_rules(column)
        if decided:
            value = f"case rule_number {decided} else {value} end"
        return f"lower({value})" if column.words else value

    def _decided_by_rules(self, column: Column) -> str:
        rules = [rule for rule in self.export.events if rule.when]
        steps = []
        for number, rule in enumerate(rules, start=1):
            word, path = rule.set.get(column.name), ["set", column.name]
            if column.name == "event_type":
                word, path = rule.event_type or "other", ["event_type"]
            if word is not None:
                self._check_word(column.words, word, "events", number - 1, *path)
                steps.append(f"when {number} then {quote(word)}")
        if column.name == "event_type" and self.export.events:
            otherwise = self.export.events[-1].otherwise or "other"
            self._check_word(column.words, otherwise, "events", len(rules), "otherwise")
            steps.append(f"when 0 then {quote(otherwise)}")
        return " ".join(steps)

    def _check_word(self, words: str | None, word: str, *path: str | int) -> None:
        if words and word not in self.words[words].words:
            raise MappingError(
                f"{self._where(*path)}: `{word}` is no word of {words}; expected one of"
                f" {choices(word, self.words[words].words)}"
            )

    def _field(self, column: Column, sql: str) -> str:
        path = ("fields", column.name)
        bare = sql.strip()
        if bare in self.names and column.kind != "text":
            bare = f"{_MACRO_OF[column.kind]}({bare})"
        expression = check(bare, self.names, self._where(*path))
        self._reject_bad_conversions(expression)
        marked = _marked(expression.sql, *path)
        if column.kind == "text":
            return marked
        return f"try_cast(({marked}) as {column.sql_type})"

    def _reject_bad_conversions(self, expression: Expression) -> None:
        for macro, name in expression.conversions:
            but = f" and lower({name}) <> 'unknown'" if macro == "to_flag" else ""
            self._reject(
                "bad_" + macro.removeprefix("to_"),
                self._column_name(name),
                CONVERSIONS[macro],
                f"{name} is not null and {macro}({name}) is null{but}",
            )

    def _decider(self, sql: str, field: str) -> str:
        """The column that decides a field, as the file spells it, else the field."""
        sql = sql.strip()
        if sql in self.names or sql == field:
            return self._column_name(sql)
        words = re.findall(r"\w+", re.sub(r"'[^']*'", "", sql))
        read = {word for word in words if word in self.export.inputs}
        return self._column_name(read.pop()) if len(read) == 1 else field

    def _column_name(self, name: str) -> str:
        """The column as the file spells it, so that its owner finds it."""
        entry = self.export.inputs.get(name)
        if entry is None:
            return name
        if self.file.header is None:
            return (entry.column or entry.path or [name])[0]
        place = header_index(entry, self.file.header)
        return name if place is None else self.file.header[place]

    def _address(self) -> str:
        sql = self.export.address or ""
        expression = check(sql, self.names, self._where("address"))
        # An element of an exploded list has not been cleaned as an input has.
        return f"nullif(trim({_marked(expression.sql, 'address')}), '')"

    def _reason_text(self) -> str:
        if self.export.reasons is None:
            return "cast(null as varchar)"
        for option, word in self.export.reasons.options.items():
            self._check_word("opt_out_reason_words", word, "reasons", "options", option)
        for place, word in enumerate(self.export.reasons.offers):
            self._check_word("opt_out_reason_words", word, "reasons", "offers", place)
        names = ", ".join(self.export.reasons.value)
        path = ("reasons", "value")
        checked = check(f"coalesce({names})", self.names, self._where(*path))
        return _marked(checked.sql, *path)

    def _key_text(self) -> str:
        parts = [part for part in self.export.key if part != "contact_key"]
        if not parts:
            return "cast(null as varchar)"
        where = self._where("key")
        texts = ", ".join(
            f"coalesce({_marked(check(part, self.names, where).sql, 'key')}, '')"
            for part in parts
        )
        return f"concat_ws(chr(31), {texts})"

    def _derived(self) -> list[str]:
        if self.export.lands != "campaign_stats":
            return []
        basis = "in_file" if self.export.times.zone == "in_value" else "declared"
        days = self.export.settle_days
        half_unit, base = self._vendor_rate()
        return [
            f"{quote(basis)} as time_basis",
            f"cast({'null' if days is None else days} as bigint) as settle_days",
            f"{half_unit} as vendor_unsubscribe_rate_half_unit_pct",
            f"{base} as vendor_rate_base",
        ]

    def _vendor_rate(self) -> tuple[str, str]:
        rate = self.export.vendor_rate
        if rate is None:
            return "cast(null as double)", "cast(null as varchar)"
        check(rate.value, self.names, self._where("vendor_rate", "value"))
        half = "50e0" if self.export.numbers.percent == "fraction" else "0.5e0"
        decimal = self.export.numbers.decimal
        digits = (
            f"(length(regexp_extract({rate.value}, '[{decimal}](\\d+)', 1)) - coalesce("
            f"try_cast(regexp_extract({rate.value}, '[eE]([+-]?\\d+)', 1) as int), 0))"
        )
        base = "null" if rate.base is None else quote(rate.base)
        printed = f"case when {rate.value} is not null then"
        return f"{printed} {half} * power(10e0, -{digits}) end", f"{printed} {base} end"

    def _delivered_how(self) -> str:
        known = {
            "reported": "delivered_count is not null",
            "recipients_minus_bounces": (
                "sent_count is not null and (bounce_count is not null"
                " or (hard_bounce_count is not null and soft_bounce_count is not null))"
            ),
        }
        steps = [
            f"when {known[how]} then {quote(how)}"
            for how in self.export.delivered
            if how != "unavailable"
        ]
        how = f"case {' '.join(steps)} else 'unavailable' end"
        return f"{how if steps else quote('unavailable')} as delivered_how"

    # -- fields to a verdict -----------------------------------------------------

    def _judged(self) -> str:
        converted = len(self.rejections)
        replaced: dict[str, str] = {}
        unmapped: list[str] = []
        for column in FIELDS[self.export.lands]:
            self._judge_column(column, replaced, unmapped)
        if self.export.lands in HAS_PERSON:
            self._reject(
                "missing_value",
                self._decider(self.export.address or "", "address"),
                "an e-mail address",
                "address is null",
            )
            self._reject(
                "not_mail",
                self._decider(self.export.address or "", "address"),
                "an e-mail address, not a telephone number",
                f"regexp_matches(address, {quote(_TELEPHONE)})",
            )
        later = [
            f"when {condition} then {number}"
            for number, (_, condition) in enumerate(self.rejections, start=1)
            if number > converted
        ]
        verdict = "conversion_rejection"
        if later:
            verdict = f"coalesce(conversion_rejection, case {' '.join(later)} end)"
        if self.export.events and self.export.events[-1].otherwise:
            unmapped.append("when rule_number = 0 then 'event_type'")
        listed = ", ".join(f"{value} as {name}" for name, value in replaced.items())
        replacing = f" replace ({listed})" if replaced else ""
        extra = [
            f"case when not ({self._skipped()} > 0) then {verdict} end as rejection",
            f"{self._skipped()} as skipped",
            (f"case {' '.join(unmapped)} end" if unmapped else "cast(null as varchar)")
            + " as unmapped",
        ]
        if self.export.lands == "campaign_stats":
            extra.append(self._delivered_how())
        return f"select *{replacing}, {', '.join(extra)} from fields"

    def _skipped(self) -> str:
        steps = []
        seen = len(self.export.skip)
        for number, rule in enumerate(self.export.events, start=1):
            if rule.skip:
                seen += 1
                steps.append(f"when rule_number = {number} then {seen}")
        if not steps:
            return "skip_number"
        return (
            f"case when skip_number > 0 then skip_number {' '.join(steps)} else 0 end"
        )

    def _judge_column(
        self, column: Column, replaced: dict[str, str], unmapped: list[str]
    ) -> None:
        name = column.name
        spelled = self._decider(self.export.fields.get(name, name), name)
        if column.words:
            self._judge_word(column, spelled, replaced, unmapped)
        if column.required:
            self._reject("missing_value", spelled, "a value", f"{name} is null")
        latest = f"timestamp {quote(str(self.file.now + timedelta(days=1)))}"
        if column.bounded and column.kind == "percent":
            outside = f"{name} not between 0 and 100"
            self._reject("bad_percent", spelled, "a percentage from 0 to 100", outside)
        elif column.bounded:
            expected = "a moment between 2000-01-01 and a day from now"
            self._reject("future_time", spelled, expected, f"{name} > {latest}")
            self._reject("time_too_early", spelled, expected, f"{name} < {_EARLIEST}")
        elif column.kind == "time" and name in self.export.fields:
            inside = f"{name} between {_EARLIEST} and {latest}"
            replaced[name] = f"case when {inside} then {name} end"
            unmapped.append(f"when not ({inside}) then {quote(name)}")
        if name == "exported_at":
            moment = f"timestamp {quote(str(self.file.exported_at))}"
            replaced[name] = f"coalesce({replaced.get(name, name)}, {moment})"

    def _judge_word(
        self,
        column: Column,
        spelled: str,
        replaced: dict[str, str],
        unmapped: list[str],
    ) -> None:
        assert column.words is not None
        vocabulary = self.words[column.words]
        listed = ", ".join(quote(word) for word in vocabulary.words)
        unknown = f"{column.name} not in ({listed})"
        if vocabulary.fallback is None and column.required:
            expected = f"one of {', '.join(vocabulary.words)}"
            self._reject("unknown_word", spelled, expected, unknown)
            return
        word = "null" if vocabulary.fallback is None else quote(vocabulary.fallback)
        replaced[column.name] = (
            f"case when {unknown} then {word} else {column.name} end"
        )
        unmapped.append(f"when {unknown} then {quote(column.name)}")

    def _reject(self, reason: str, column: str, expected: str, condition: str) -> None:
        rejection = (Rejection(reason, column, expected), condition)
        if rejection not in self.rejections:
            self.rejections.append(rejection)

    def _where(self, *path: str | int) -> Place:
        return self.place.at(*path)

    # -- conversions as this export writes values --------------------------------

    def _macros(self) -> list[str]:
        zone = self.export.times.zone
        zone = self.file.zone if zone == "account" else zone
        bodies = {
            "to_count": self._count_macro(),
            "to_number": self._number_macro(),
            "to_percent": self._percent_macro(),
            "to_utc": self._time_macro(zone),
            "to_flag": (
                "case when lower(text) in ('true', 'yes', 'y', '1', 't') then true"
                " when lower(text) in ('false', 'no', 'n', '0', 'f') then false end"
            ),
            "url_kind": url_kind_sql("lower(text)"),
        }
        return [
            f"create or replace temp macro {name}(text) as ({body})"
            for name, body in bodies.items()
        ]

    def _ungrouped(self, text: str = "text") -> str:
        thousands, decimal = self.export.numbers.thousands, self.export.numbers.decimal
        if thousands:
            text = f"replace({text}, {quote(thousands)}, '')"
        return text if decimal == "." else f"replace({text}, ',', '.')"

    @property
    def _whole(self) -> str:
        """Pattern of a whole number, with its groups where the export writes them."""
        thousands = self.export.numbers.thousands
        grouped = f"|\\d{{1,3}}([{thousands}]\\d{{3}})+" if thousands else ""
        return f"(\\d+{grouped})"

    @property
    def _any(self) -> str:
        """Pattern of a number; another decimal mark or grouping does not fit it."""
        fraction = f"[{self.export.numbers.decimal}]\\d+"
        return f"[+-]?({self._whole}({fraction})?|{fraction})([eE][+-]?\\d{{1,3}})?"

    def _count_macro(self) -> str:
        # 64517.0 is how spreadsheets and data frames re-save a whole number.
        whole = f"{self._whole}([{self.export.numbers.decimal}]0+)?"
        return (
            f"case when regexp_full_match(text, {quote(whole)})"
            f" then try_cast(try_cast({self._ungrouped()} as decimal(38, 6)) as bigint)"
            " end"
        )

    def _number_macro(self) -> str:
        return (
            f"case when regexp_full_match(text, {quote(self._any)})"
            f" then {_finite(self._ungrouped())} end"
        )

    def _percent_macro(self) -> str:
        scale = " * 100" if self.export.numbers.percent == "fraction" else ""
        bare = self._ungrouped("rtrim(rtrim(text, '%'))")
        number = self._any + r"\s*%?"
        return (
            f"case when regexp_full_match(text, {quote(number)})"
            f" then ({_finite(bare)}){scale} end"
        )

    def _time_macro(self, zone: str) -> str:
        formats = self.export.times.formats or ["iso"]
        if self.file.has_typed_cells and "iso" not in formats:
            formats = [*formats, "iso"]
        read = _zoned_time if zone == "in_value" else _local_time
        tries = [
            _unix_time(UNIX_UNITS[entry]) if entry in UNIX_UNITS else read(entry, zone)
            for entry in formats
        ]
        if self.file.has_typed_cells and zone != "in_value":
            # A typed moment with a zone of its own needs no declared one.
            tries.append(_zoned_time("iso", zone))
        return tries[0] if len(tries) == 1 else f"coalesce({', '.join(tries)})"


def _marked(sql: str, *path: str | int) -> str:
    """An expression of the mapping, told apart by its path in the engine's errors."""
    return f"\n{_MARK}{'.'.join(str(part) for part in path)}\n{sql}"


def _unix_time(units: int) -> str:
    """Seconds or their thousandths since 1970, as text; always UTC."""
    digits = len(str(units)) + 8
    whole = f"\\d{{{digits},{digits + 1}}}([.]\\d+)?"
    scale = 1_000_000 // units
    return (
        f"case when regexp_full_match(text, {quote(whole)}) then make_timestamp("
        f"cast(try_cast(text as decimal(38, 9)) * {scale} as bigint)) end"
    )


def _zoned_time(entry: str, _: str) -> str:
    if entry != "iso":
        return f"timezone('UTC', try_strptime(text, {quote(entry)}))"
    zoned = (
        "text[-1] = 'Z' or "
        f"(contains(text, ':') and regexp_matches(text, {quote(_ZONED)}))"
    )
    return f"timezone('UTC', try_cast(case when {zoned} then text end as timestamptz))"


def _local_time(entry: str, zone: str) -> str:
    is_utc = zone.lower() == "utc"
    local = f"try_strptime(text, {quote(entry)})"
    if entry == "iso":
        # The engine would drop a zone it finds here without a word.
        iso = _LOCAL + (_MARKED_UTC if is_utc else "")
        local = (
            f"try_cast(case when regexp_full_match(text, {quote(iso)}) then text end"
            " as timestamp)"
        )
    return local if is_utc else f"timezone('UTC', timezone({quote(zone)}, {local}))"


def _finite(text: str) -> str:
    """A double; 1e999 reads as infinite, which is no number anybody exported."""
    number = f"try_cast({text} as double)"
    return f"case when isfinite({number}) then {number} end"


def _load_transform(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_transform", path)
    if spec is None or spec.loader is None or not path.exists():
        raise MappingError(f"{path.parent.name}: `transform: true` needs transform.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
