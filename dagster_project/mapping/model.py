"""The mapping file ``source.yaml`` as typed models; unknown keys are errors.

YAML says what a file is and where its columns are; every canonical field is a bare
input or a SQL scalar expression. See ``sources/README.md`` for the page data engineers
read. Compiling lives in ``compile.py``.
"""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
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

# The same safe subset, ten times as fast where the library was built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
UNIX_UNITS = {"unix_seconds": 1, "unix_milliseconds": 1000}
"""Names of numbers that count from 1970, and how many of them are a second."""
NAME = re.compile(r"[a-z][a-z0-9_]*")


class MappingError(Exception):
    """A mapping says something it may not; the text names file, path and remedy."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Texts = Annotated[list[str], BeforeValidator(_as_list)]
"""One text or several."""


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
        list[Literal["csv", "tsv", "ndjson", "json", "sections", "mail"]],
        BeforeValidator(_as_list),
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
    """How the export writes numbers; what contradicts it is rejected, never guessed."""

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
                raise ValueError("`otherwise` stands alone")
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
    """

    value: Texts
    options: dict[str, str] = {}
    when_empty: Literal["not_asked", "declined"] | None = None


class Setting(_Strict):
    """Something only the account's owner knows; set in ``config/accounts.yaml``."""

    default: str
    allowed: list[str] = []


class Export(_Strict):
    """One kind of file of a source and the landing table it fills."""

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
        list[Literal["reported", "recipients_minus_bounces", "unavailable"]],
        BeforeValidator(_as_list),
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
        for name in (*self.inputs, *self.let):
            if not NAME.fullmatch(name):
                raise ValueError(f"`{name}`: a name is lower case letters, digits, _")
        known = {column.name for column in FIELDS[self.lands]}
        given = set(self.fields) | {name for rule in self.events for name in rule.set}
        if strange := sorted(given - known - {"event_type"}):
            raise ValueError(f"no such column in {self.lands}: {', '.join(strange)}")
        if (self.lands in HAS_PERSON) != (self.address is not None):
            raise ValueError("`address` belongs to exactly the tables about persons")
        if self.lands == "message_events":
            self._check_events()
        elif self.events or self.key:
            raise ValueError("`events` and `key` belong to message_events")
        if self.lands == "campaign_stats" and not self.delivered:
            raise ValueError("say in `delivered` how the delivered count is known")
        if self.reader.header and self.file_name is None:
            raise ValueError("a file without a header needs a `file_name` to be known")
        return self

    def _check_events(self) -> None:
        if not self.key:
            raise ValueError("message_events needs the `key` that identifies an event")
        if bool(self.events) == ("event_type" in self.fields):
            raise ValueError("give `events` rules or a field `event_type`, not both")
        if self.events and (
            self.events[-1].otherwise is None
            or any(rule.otherwise for rule in self.events[:-1])
        ):
            raise ValueError("`events` ends with its one `otherwise`")

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
    """Everything known about one vendor, one folder."""

    source: str
    kind: Literal["esp", "validator", "contacts", "any"]
    title: str
    notes: str
    settings: dict[str, Setting] = {}
    exports: list[Export]
    folder: Path = Field(exclude=True)

    @model_validator(mode="after")
    def _distinct(self) -> Source:
        names = [export.name for export in self.exports]
        if len(set(names)) != len(names):
            raise ValueError("two exports share a name")
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


def load_source(folder: Path) -> Source:
    """Read and check one vendor's ``source.yaml``.

    Raises:
        MappingError: naming the file, the path inside it and what was expected.
    """
    path = folder / "source.yaml"
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except yaml.YAMLError as error:
        raise MappingError(f"{folder.name}/source.yaml is not YAML: {error}") from None
    try:
        source = Source(**content, folder=folder)
    except (ValidationError, TypeError) as error:
        raise MappingError(f"{folder.name}/source.yaml: {_explain(error)}") from None
    if source.source != folder.name:
        raise MappingError(
            f"{folder.name}/source.yaml: `source` must be the folder's name"
        )
    return source


def load_sources(root: Path) -> dict[str, Source]:
    """Read every vendor folder that holds a ``source.yaml``.

    Raises:
        MappingError: for the first folder that is wrong.
    """
    folders = sorted(path.parent for path in root.glob("*/source.yaml"))
    return {folder.name: load_source(folder) for folder in folders}


def _explain(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return "expected a mapping of keys at the top"
    lines = (
        f"{'.'.join(str(part) for part in entry['loc']) or 'top'}: {entry['msg']}"
        for entry in error.errors(include_input=False, include_url=False)
    )
    return "; ".join(lines)
