"""The mapping file ``source.yaml`` as typed models; unknown keys are errors.

YAML says what a file is and where its columns are; every canonical field is a bare
input or a SQL scalar expression. See ``sources/README.md`` for the page data engineers
read. Compiling lives in ``compile.py``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from dagster_project.mapping.canonical import FIELDS, HAS_PERSON, TableName
from dagster_project.mapping.document import MappingError as MappingError
from dagster_project.mapping.document import (
    Place,
    Wrong,
    choices,
    explain,
    read_document,
    wrong,
)

UNIX_UNITS = {"unix_seconds": 1, "unix_milliseconds": 1000}
"""Names of numbers that count from 1970, and how many of them are a second."""
NAME = re.compile(r"[a-z][a-z0-9_]*")


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Texts = Annotated[
    list[str], BeforeValidator(_as_list, json_schema_input_type=str | list[str])
]
"""One text or several."""
Format = Literal["csv", "tsv", "ndjson", "json", "sections", "mail"]
Basis = Literal["reported", "recipients_minus_bounces", "unavailable"]


def _groups(pattern: str) -> int:
    try:
        return re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"not a pattern: {error}") from None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Input(_Strict):
    """A text the record may carry: NULL when absent, blank or a null token.

    Attributes:
        column: header names of a table-like file, the first present counts.
        path: JSON paths of a record, the first non-null counts.
        sidecar: keys of the file ``<name>.meta.yaml`` beside the export, where the
            record itself does not say.
        file_name: pattern with one group, searched in the file's (or zip member's)
            own name, where neither says.
        required: a file without it is refused (table) or not recognised (JSON).
    """

    column: Texts = []
    path: Texts = []
    sidecar: Texts = []
    file_name: str | None = None
    required: bool = False

    @model_validator(mode="after")
    def _somewhere(self) -> Input:
        if not (self.column or self.path or self.sidecar or self.file_name):
            raise ValueError(
                "an input needs `column`, `path`, `sidecar` or `file_name`"
            )
        for path in self.path:
            if not path.startswith("$") or "*" in path:
                raise ValueError("a path starts with $ and has no wildcard")
        if self.file_name is not None and _groups(self.file_name) != 1:
            raise ValueError("`file_name` is a pattern with exactly one group")
        return self

    @property
    def json_paths(self) -> list[str]:
        """Where a JSON record holds it; a plain column is a key of the same name."""
        return self.path or [f'$."{name}"' for name in self.column]

    @property
    def is_in_record(self) -> bool:
        """Whether the record itself may carry it."""
        return bool(self.column or self.path)

    @property
    def is_beside(self) -> bool:
        """Whether it may stand beside the record."""
        return bool(self.sidecar or self.file_name)


class Reader(_Strict):
    """How bytes become records.

    Attributes:
        formats: what the file may be: csv (also a sheet of a workbook or a Parquet
            file), tsv, ndjson, json (an array, or an object whose ``items`` path holds
            the array), sections (a report of titled blocks), mail (messages as they
            travel: one, or an mbox).
        delimiter: of a csv file; of several the one that splits the required columns.
        header: column names of a table-like file that has no header of its own; such
            an export needs a ``file_name``.
        encodings: tried in order, strictly; a byte-order mark is always understood.
        items: where a JSON document, or a line of several records, keeps its records.
        unwrap: paths of an object, or of a JSON text, inside the record that is the
            real record; the first that is there.
        form_field: a line is an HTML form; this field of it holds the JSON.
        repeat: title pattern of the blocks of a report of which each is a record.
        explode: name of a `let` that gives a list; one row an element, named `item`.
        null_tokens: texts that mean "nothing", besides the empty text.
        most_rejected: share of records beyond which the whole file is refused.
    """

    formats: Annotated[
        list[Format],
        BeforeValidator(_as_list, json_schema_input_type=Format | list[Format]),
    ]
    delimiter: Texts = [","]
    header: list[str] = []
    encodings: Texts = ["utf-8"]
    items: str | None = None
    unwrap: Texts = []
    form_field: str | None = None
    repeat: str | None = None
    explode: str | None = None
    null_tokens: list[str] = []
    most_rejected: float = Field(default=0.5, ge=0, le=1)

    @field_validator("delimiter")
    @classmethod
    def _one_mark(cls, delimiter: list[str]) -> list[str]:
        if not delimiter or any(len(mark) != 1 for mark in delimiter):
            raise ValueError("a delimiter is one character")
        return delimiter


class Numbers(_Strict):
    """How the export writes numbers; what contradicts it is rejected, never guessed.

    Attributes:
        thousands: the mark between thousands, where the export writes one.
        decimal: the mark before a fraction.
        percent: percent where 20 means 20 %, fraction where 0.2 does.
    """

    thousands: Literal[",", ".", " "] | None = None
    decimal: Literal[".", ","] = "."
    percent: Literal["percent", "fraction"] = "percent"

    @model_validator(mode="after")
    def _two_marks(self) -> Numbers:
        if self.thousands == self.decimal:
            raise ValueError("one mark cannot be both `thousands` and `decimal`")
        return self


class Times(_Strict):
    """How the export writes moments.

    Attributes:
        zone: ``in_value`` (ISO 8601 with offset or Z), ``account`` (the zone declared
            for the account) or an IANA name.
        formats: strptime formats tried in order, or ``unix_seconds``,
            ``unix_milliseconds`` (both always UTC) and ``iso``; none means ISO 8601.
            With ``in_value`` a strptime format names the zone (``%z``).
    """

    zone: str = "in_value"
    formats: list[str] = []

    @model_validator(mode="after")
    def _zoned(self) -> Times:
        known = {"iso", *UNIX_UNITS}
        zoneless = [f for f in self.formats if f not in known and "%z" not in f]
        if self.zone == "in_value" and zoneless:
            raise ValueError("a format without %z needs a `zone`: account, or its name")
        return self


class EventRule(_Strict):
    """One step of the ordered list that decides what a record means.

    Attributes:
        when: SQL condition over inputs and lets.
        otherwise: the last rule: the event type of whatever matched nothing; counted.
        event_type: canonical event type.
        skip: why such a record is read and deliberately not landed.
        set: canonical column -> canonical word for records this rule matches.
    """

    when: str | None = None
    otherwise: str | None = None
    event_type: str | None = None
    skip: str | None = None
    set: dict[str, str] = {}

    @model_validator(mode="after")
    def _one_meaning(self) -> EventRule:
        if self.otherwise is not None:
            if self.when or self.event_type or self.skip:
                raise ValueError("`otherwise` stands alone, at the end")
        elif not self.when or bool(self.event_type) == bool(self.skip):
            raise ValueError("a rule needs `when` and one of `event_type` or `skip`")
        return self


class SkipRule(_Strict):
    """Records that are read and deliberately not landed, whatever they tell.

    Attributes:
        when: SQL condition over inputs and lets.
        why: counted under this name in the ledger.
    """

    when: str
    why: str


class VendorRate(_Strict):
    """The unsubscribe rate the export prints, kept as evidence only.

    Attributes:
        value: the input that holds it.
        base: what the vendor divides by, where that is known.
    """

    value: str
    base: Literal["sent", "delivered", "opens"] | None = None


class Reasons(_Strict):
    """The vendor's opt-out options and what they mean.

    Attributes:
        value: the input, or list of inputs (the first non-null counts).
        options: option text (compared trimmed, case-folded) -> canonical reason.
        when_empty: what an opt-out without a reason says: nobody asked, or declined.
        option_set: name of the list to choose from; none where people say what they
            like, or where nobody knows what they were offered.
        offers: canonical reasons on that list beyond those of ``options``.
    """

    value: Texts
    options: dict[str, str] = {}
    when_empty: Literal["not_asked", "declined"] | None = None
    option_set: str | None = None
    offers: list[str] = []

    @model_validator(mode="after")
    def _offered(self) -> Reasons:
        if self.offers and self.option_set is None:
            raise ValueError("`offers` belongs to an `option_set`")
        if self.option_set is not None and not NAME.fullmatch(self.option_set):
            raise ValueError("an `option_set` is lower case letters, digits and _")
        return self


class Setting(_Strict):
    """Something only the account's owner knows; set in ``config/accounts.yaml``.

    Attributes:
        default: what it is until the owner says so.
        allowed: the words to choose from; none means any text.
    """

    default: str
    allowed: list[str] = []


class Export(_Strict):
    """One kind of file of a source and the landing table it fills.

    Attributes:
        name: lower case letters, digits and _; unique in the source.
        lands: the landing table.
        notes: what surprised you.
        file_name: pattern a file's name must have; makes the name part of its identity.
        reader: how bytes become records.
        numbers: how the export writes numbers.
        times: how the export writes moments.
        inputs: name -> where the text is.
        let: name -> SQL expression over inputs, settings and earlier lets.
        transform: whether transform.py gives the relation of records.
        address: the person; becomes contact_key, then is gone.
        skip: records that are read and deliberately not landed.
        fields: canonical column -> input or SQL expression.
        events: ordered rules; the first whose condition holds says what a record means.
        key: what makes an event itself; `contact_key` is the person.
        delivered: how the delivered count is known, the best way first.
        vendor_rate: the unsubscribe rate the export prints.
        reasons: why people leave.
        settle_days: age from which the counts are final.
    """

    name: str
    lands: TableName
    notes: str = ""
    file_name: str | None = None
    reader: Reader
    numbers: Numbers = Numbers()
    times: Times = Times()
    inputs: dict[str, Input]
    let: dict[str, str] = {}
    transform: bool = False
    address: str | None = None
    skip: list[SkipRule] = []
    fields: dict[str, str] = {}
    events: list[EventRule] = []
    key: list[str] = []
    delivered: Annotated[
        list[Basis],
        BeforeValidator(_as_list, json_schema_input_type=Basis | list[Basis]),
    ] = []
    vendor_rate: VendorRate | None = None
    reasons: Reasons | None = None
    settle_days: int | None = Field(default=None, ge=0)

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError("a name is lower case letters, digits and _")
        return name

    @model_validator(mode="after")
    def _complete(self) -> Export:
        wrongs = [
            *self._strange_names(),
            *self._strange_columns(),
            *self._missing_keys(),
        ]
        if self.lands == "message_events":
            wrongs += self._wrong_events()
        if wrongs:
            raise wrong(*wrongs)
        return self

    def _strange_names(self) -> Iterator[Wrong]:
        for key, names in (("inputs", self.inputs), ("let", self.let)):
            for name in names:
                if not NAME.fullmatch(name):
                    says = f"`{name}`: a name is lower case letters, digits, _"
                    yield (key, name), says

    def _strange_columns(self) -> Iterator[Wrong]:
        known = [column.name for column in FIELDS[self.lands]]
        given: list[tuple[str | int, ...]] = [("fields", name) for name in self.fields]
        for number, rule in enumerate(self.events):
            given += [("events", number, "set", name) for name in rule.set]
        for path in given:
            if path[-1] not in known:
                near = choices(str(path[-1]), known)
                yield path, f"no such column in {self.lands}; expected one of {near}"

    def _missing_keys(self) -> Iterator[Wrong]:
        if (self.lands in HAS_PERSON) != (self.address is not None):
            says = "`address` belongs to exactly the tables about persons"
            yield ("address",), f"{says}: {', '.join(sorted(HAS_PERSON))}"
        if self.lands != "message_events" and (self.events or self.key):
            where = "events" if self.events else "key"
            yield (where,), "`events` and `key` belong to message_events"
        if self.lands == "campaign_stats" and not self.delivered:
            yield ("delivered",), "say in `delivered` how the delivered count is known"
        if self.reader.header and self.file_name is None:
            says = "a file without a header needs a `file_name` to be known"
            yield ("file_name",), says

    def _wrong_events(self) -> Iterator[Wrong]:
        if not self.key:
            yield ("key",), "message_events needs the `key` that identifies an event"
        if bool(self.events) == ("event_type" in self.fields):
            says = "give `events` rules or a field `event_type`, not both"
            yield ("events",), says
        ends = [n for n, rule in enumerate(self.events) if rule.otherwise is not None]
        if self.events and ends != [len(self.events) - 1]:
            place = ends[0] if ends else len(self.events) - 1
            yield ("events", place), "`events` ends with its one `otherwise`"

    @property
    def reads_name(self) -> bool:
        """Whether the same content under another name means something else."""
        patterns = (entry.file_name for entry in self.inputs.values())
        return self.file_name is not None or any(patterns)

    @property
    def required(self) -> dict[str, Input]:
        """The inputs that identify a file of this kind."""
        return {name: entry for name, entry in self.inputs.items() if entry.required}


class Source(_Strict):
    """Everything known about one vendor, one folder.

    Attributes:
        source: the folder's name.
        kind: what it is: esp, validator, contacts, mailbox_provider, any.
        title: its name for people.
        notes: where the vendor defines its columns, and what surprised you.
        settings: what only an account's owner knows; names in expressions.
        exports: its kinds of files.
        folder: where it lies; not a key of the file.
    """

    source: str
    kind: Literal["esp", "validator", "contacts", "mailbox_provider", "any"]
    title: str
    notes: str
    settings: dict[str, Setting] = {}
    exports: list[Export]
    folder: Path = Field(exclude=True)

    @model_validator(mode="after")
    def _distinct(self) -> Source:
        names = [export.name for export in self.exports]
        for number, name in enumerate(names):
            if name in names[:number]:
                says = f"two exports share a name, {name}"
                raise wrong((("exports", number, "name"), says))
        return self

    @property
    def covers(self) -> tuple[str, ...]:
        """The landing tables its exports fill."""
        return tuple(sorted({export.lands for export in self.exports}))

    @property
    def transform_path(self) -> Path:
        """Where the rare SQL relation a mapping cannot say in scalars lives."""
        return self.folder / "transform.py"

    @cached_property
    def fingerprint(self) -> str:
        """Changes when anything in the folder that decides meaning changes."""
        digest = hashlib.sha256((self.folder / "source.yaml").read_bytes())
        if self.transform_path.exists():
            digest.update(self.transform_path.read_bytes())
        return digest.hexdigest()

    def export(self, name: str) -> Export:
        """The export of that name.

        Raises:
            KeyError: when the source has none.
        """
        for export in self.exports:
            if export.name == name:
                return export
        raise KeyError(name)


def load_source(folder: Path, *, may_guess: bool = False) -> Source:
    """Read and check one vendor's ``source.yaml``.

    Args:
        folder: the vendor's.
        may_guess: take what a draft has marked ``!confirm`` as it stands.

    Raises:
        MappingError: naming the file, the line, the path and what was expected.
    """
    file = folder / "source.yaml"
    content = read_document(file, may_guess=may_guess)
    if "folder" in content:
        raise MappingError(f"{Place(file, ('folder',))}: no such key")
    try:
        source = Source.model_validate(content | {"folder": folder})
    except ValidationError as error:
        raise explain(error, file, Source) from None
    if source.source != folder.name:
        raise MappingError(
            f"{Place(file, ('source',))}: `{source.source}` must be the folder's name,"
            f" {folder.name}"
        )
    return source


def load_sources(root: Path, *, may_guess: str | None = None) -> dict[str, Source]:
    """Read every vendor folder that holds a ``source.yaml``.

    Args:
        root: the folder of the folders.
        may_guess: the one source whose draft is taken as it stands.

    Raises:
        MappingError: for the first folder that is wrong.
    """
    folders = sorted(path.parent for path in root.glob("*/source.yaml"))
    return {
        folder.name: load_source(folder, may_guess=folder.name == may_guess)
        for folder in folders
    }
