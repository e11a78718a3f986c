"""A draft, once its tags are gone, is a mapping that loads the file it came from."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.inspection import Judged, inspect_file
from dagster_project.landing.reader import RefusedError
from dagster_project.mapping.document import MappingError, guesses
from dagster_project.mapping.model import Export, load_source
from dagster_project.mapping.schema import FILE, MODELINE
from dagster_project.scaffold import new_source
from dagster_project.settings import Settings

TOTALS = """\
Campaign Name;Subject Line;Sent On;Recipients;Delivered;Hard Bounces;Soft Bounces;Unsubscribes;Unsub Rate;Owner
Zebra sale;Stripes inside;13/09/2026 10:00;10.000;9.900;40;60;33;0,33%;Ann Private
Yak news;Wool inside;02/03/2026 09:30;1.500;1.480;5;15;4;0,27%;Bo Private
"""
EVENTS = "".join(
    json.dumps(
        {
            "event": word,
            "uuid": f"u{number}",
            "data": {
                "timestamp": 1788000000 + number,
                "recipient": f"{person}@private.test",
                "campaign": {"id": "c1", "name": "Zebra sale"},
                "tags": ["stripes"],
            },
        }
    )
    + "\n"
    for number, (word, person) in enumerate(
        [
            ("email.delivered", "ann"),
            ("email.hard_bounce", "bo"),
            ("email.opened", "ann"),
            ("email.unsubscribed", "ann"),
            ("email.teleported", "ann"),
        ]
    )
)
CONTACTS = """\
Email Address,First Name,Subscription Status,Subscribe Date,Unsubscribe Date,List,Unsubscribe Reason
ann@private.test,Ann,Active,2025-01-02 10:00:00,,Zebras,
bo@private.test,Bo,Unsubscribed,2025-01-02 10:00:00,2026-02-02 11:00:00,Zebras,Too many stripes
cy@private.test,Cy,Cleaned,2025-01-02 10:00:00,,Zebras,
"""
VALIDATIONS = """\
email,result,reason,free,disposable,role,score
ann@private.test,deliverable,zebra_ok,yes,no,no,0.98
bo@private.test,undeliverable,zebra_no,no,no,no,0
cy@private.test,risky,zebra_maybe,no,yes,no,0.5
"""
FILES = {
    "totals.csv": (TOTALS, "campaign_stats", 2),
    "events.ndjson": (EVENTS, "message_events", 5),
    "contacts.csv": (CONTACTS, "contact_snapshots", 3),
    "validations.csv": (VALIDATIONS, "list_validations", 3),
}
PRIVATE = re.compile(r"private|zebra|yak|stripes|wool|\b(ann|bo|cy)\b", re.IGNORECASE)


class Desk:
    """A data engineer's: sources of one's own and an export to draft from."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.root, self.settings = root, settings
        self.folder = root / "sources" / "acme"

    def draft(self, name: str, content: str | bytes) -> list[Path]:
        self.file = self.root / name
        text = content.encode() if isinstance(content, str) else content
        self.file.write_bytes(text)
        return new_source("acme", self.file)

    @property
    def mapping(self) -> str:
        return (self.folder / "source.yaml").read_text(encoding="utf-8")

    def confirm(self) -> None:
        """Believe every guess."""
        text = self.mapping.replace("!confirm ", "")
        (self.folder / "source.yaml").write_text(text, encoding="utf-8")

    @property
    def export(self) -> Export:
        return load_source(self.folder, may_guess=True).exports[0]

    def inspect(self, file: Path | None = None) -> Judged:
        found = inspect_file(file or self.file, self.settings, source="acme", rows=9)
        return found[0]


@pytest.fixture
def desk(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Desk:
    (tmp_path / "sources").mkdir()
    for module in ("scaffold", "inspection.look"):
        monkeypatch.setattr(f"dagster_project.{module}.SOURCES", tmp_path / "sources")
    return Desk(tmp_path, settings)


@pytest.fixture
def column(desk: Desk) -> Callable[..., dict[str, str]]:
    """The fields drafted from totals with one more column."""

    def fields(name: str, *values: str) -> dict[str, str]:
        rows = "".join(
            f'c{n},2026-09-0{n}T09:00:00Z,"{v}"\n' for n, v in enumerate(values, 1)
        )
        desk.draft("a.csv", f"campaign id,sent at,{name}\n{rows}")
        return desk.export.fields

    return fields


@pytest.mark.parametrize("name", FILES)
def test_a_confirmed_draft_loads_its_file(name: str, desk: Desk) -> None:
    content, table, count = FILES[name]
    mapping, sample, expected = desk.draft(name, content)
    with pytest.raises(MappingError, match="is a guess; check it, then remove"):
        load_source(desk.folder)
    assert desk.inspect().summary()["would_load"]
    desk.confirm()
    assert guesses(desk.mapping) == []
    summary = desk.inspect().summary()
    assert summary["would_load"], summary["refusal"]
    assert summary["lands"] == table
    assert summary["records"]["loaded"] == count
    assert summary["rejected"] == []
    assert summary["not_understood"] == {}
    assert desk.inspect(sample).summary()["records"]["loaded"] == 2
    assert mapping.name == "source.yaml"
    assert expected.name == "expected.csv"


@pytest.mark.parametrize("name", FILES)
def test_nothing_of_the_file_but_its_columns_and_words_is_written(
    name: str, desk: Desk
) -> None:
    for path in desk.draft(name, FILES[name][0]):
        text = path.read_text(encoding="utf-8")
        assert PRIVATE.findall(text) == [], path.name
        assert set(re.findall(r"[\w.]+@([\w.-]+)", text)) <= {"example.com"}


@pytest.mark.parametrize("name", FILES)
def test_a_sample_fills_the_columns_that_are_to_be_expected(
    name: str, desk: Desk
) -> None:
    _, sample, expected = desk.draft(name, FILES[name][0])
    header = expected.read_text(encoding="utf-8").strip().split(",")
    shown = desk.inspect(sample).rows
    filled = {column for row in shown for column, value in row.items() if value}
    ours = {"record", "contact_key", "mailbox_provider"}
    assert filled - ours <= {*header}
    assert ("address" in header) == (name != "totals.csv")
    assert header[-1] == "note"


def test_totals_are_read_as_they_are_written(desk: Desk) -> None:
    desk.draft("totals.csv", TOTALS)
    export = desk.export
    assert export.reader.delimiter == [";"]
    assert (export.numbers.thousands, export.numbers.decimal) == (".", ",")
    assert export.times.zone == "account"
    assert export.times.formats == ["%d/%m/%Y %H:%M"]
    assert export.delivered == ["reported"]
    # 33 / 9,900 = 0.33 % and 4 / 1,480 = 0.27 %; of the recipients, 4 / 1,500 rounds
    # to 0.27 too, and 33 / 10,000 = 0.33: both fit, the usual one is drafted.
    assert export.vendor_rate is not None
    assert export.vendor_rate.base == "delivered"
    assert export.fields["campaign_id"] == "concat_ws(' ', campaign_name, sent_on)"
    assert set(export.required) == {
        *("campaign_name", "sent_on", "recipients", "delivered", "unsubscribes")
    }
    assert "owner: { column: Owner }" in desk.mapping
    assert desk.inspect().rows[0]["sent_count"] == 10000


def test_events_get_rules_for_the_words_that_occur(desk: Desk) -> None:
    desk.draft("events.ndjson", EVENTS)
    export = desk.export
    meant = {rule.when: rule.event_type for rule in export.events if rule.when}
    assert meant == {
        "lower(event) = 'email.delivered'": "delivered",
        "lower(event) = 'email.hard_bounce'": "bounced",
        "lower(event) = 'email.opened'": "opened",
        "lower(event) = 'email.unsubscribed'": "unsubscribed",
        "lower(event) = 'email.teleported'": "other",
    }
    assert export.events[1].set == {"bounce_class": "hard"}
    assert export.events[-1].otherwise == "other"
    assert export.key == ["uuid"]
    assert export.times.formats == ["unix_seconds"]
    assert export.times.zone == "in_value"
    assert export.inputs["recipient"].path == ["$.data.recipient"]
    assert desk.inspect().rows[0]["campaign_id"] == "c1"


def test_contacts_get_our_statuses_and_where_reasons_stand(desk: Desk) -> None:
    desk.draft("contacts.csv", CONTACTS)
    assert [row["status"] for row in desk.inspect().rows] == [
        *("subscribed", "unsubscribed", "bounced")
    ]
    assert desk.export.reasons is not None
    assert desk.export.reasons.value == ["unsubscribe_reason"]
    assert desk.export.fields["status_changed_at"] == "unsubscribe_date"


def test_a_file_called_after_a_status_gives_it_to_everybody(desk: Desk) -> None:
    rows = "".join(f"{n}@private.test,2026-09-01T10:00:00Z\n" for n in ("ann", "bo"))
    desk.draft("complaints_list.csv", f"email,created_at\n{rows}")
    assert desk.export.fields["status"] == "'complained'"
    assert desk.inspect().summary()["would_load"]


def test_validations_get_our_verdicts(desk: Desk) -> None:
    desk.draft("validations.csv", VALIDATIONS)
    rows = desk.inspect().rows
    assert [row["validation_status"] for row in rows] == [
        *("deliverable", "undeliverable", "risky")
    ]
    assert rows[0]["raw_substatus"] == "zebra_ok"
    assert (rows[0]["is_free"], rows[0]["is_role"], rows[0]["score"]) == (
        *(True, False),
        0.98,
    )
    assert load_source(desk.folder, may_guess=True).kind == "validator"


@pytest.mark.parametrize(
    ("name", "values", "field"),
    [
        ("Total Recipients", ("10", "20"), "sent_count"),
        ("emails-sent", ("10", "20"), "sent_count"),
        ("Successful Deliveries", ("1,000", "20"), "delivered_count"),
        ("openRate", ("0.5", "0.4"), None),
        ("Unsub. Rate", ("0.5%", "0.4%"), "vendor_unsubscribe_rate_pct"),
        ("Spam Reports", ("0", "1"), "complaint_count"),
        ("Subject", ("a", "b"), "subject"),
        ("Delivered", ("yes", "no"), None),
        ("Folder", ("x", "y"), "folder"),
    ],
)
def test_a_column_fills_the_field_its_name_and_values_fit(
    name: str,
    values: tuple[str, ...],
    field: str | None,
    column: Callable[..., dict[str, str]],
) -> None:
    given = column(name, *values)
    rest = set(given) - {"campaign_id", "sent_at"}
    assert rest == ({field} if field else set())


def test_records_of_several_people_are_exploded(desk: Desk) -> None:
    posts = [
        {
            "type": kind,
            "at": "2026-09-01T09:00:00Z",
            "id": f"m{number}",
            "recipients": [
                {"address": "ann@private.test"},
                {"address": "bo@private.test"},
            ],
        }
        for number, kind in enumerate(["Delivery", "Bounce", "Complaint"])
    ]
    desk.draft("posts.json", json.dumps({"page": 1, "posts": posts}))
    export = desk.export
    assert export.reader.items == "$.posts"
    assert export.let["people"] == "json_extract_string(recipients, '$[*].address')"
    assert (export.reader.explode, export.address) == ("people", "item")
    summary = desk.inspect().summary()
    assert summary["would_load"], summary["refusal"]
    assert (summary["records"]["loaded"], summary["rows"]) == (3, 6)
    assert desk.inspect(desk.folder / "sample.json").summary()["would_load"]


def test_a_record_inside_an_envelope_is_unwrapped(desk: Desk) -> None:
    lines = [
        json.dumps({"Type": "Post", "Message": json.dumps({**post, "at": at})})
        for at in ("2026-09-01T09:00:00Z", "2026-09-01T09:00:01Z")
        for post in (
            {"event": "open", "email": "ann@private.test"},
            {"event": "click", "email": "bo@private.test"},
        )
    ]
    desk.draft("posts.ndjson", "\n".join(lines) + "\n")
    assert desk.export.reader.unwrap == ["$.Message"]
    assert desk.inspect().summary()["records"]["loaded"] == 4
    assert desk.inspect(desk.folder / "sample.ndjson").summary()["would_load"]


def test_each_kind_of_record_may_keep_its_moment_elsewhere(desk: Desk) -> None:
    posts = [
        {
            "type": "Delivery",
            "email": "ann@private.test",
            "DeliveredAt": "2026-09-01T09:00:00Z",
        },
        {
            "type": "Bounce",
            "email": "bo@private.test",
            "BouncedAt": "2026-09-01T09:00:01Z",
        },
    ]
    desk.draft("posts.ndjson", "".join(f"{json.dumps(post)}\n" for post in posts * 4))
    assert re.fullmatch(r"coalesce\(\w+, \w+\)", desk.export.let["moment"])
    assert desk.export.fields["occurred_at"] == "moment"
    assert desk.inspect().summary()["records"]["rejected"] == 0


def test_every_kind_of_file_in_a_container_becomes_an_export(desk: Desk) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as container:
        container.writestr("a.csv", CONTACTS)
        container.writestr("b.csv", CONTACTS.replace("ann", "di"))
        container.writestr("c.csv", VALIDATIONS)
    written = desk.draft("all.zip", content.getvalue())
    exports = load_source(desk.folder, may_guess=True).exports
    assert [export.name for export in exports] == ["contacts", "validations"]
    assert sorted(path.name for path in written) == [
        *("expected_contacts.csv", "expected_validations.csv"),
        *("sample_contacts.csv", "sample_validations.csv", "source.yaml"),
    ]
    found = inspect_file(desk.file, desk.settings, source="acme")
    assert [judged.load.export for judged in found] == [
        *("contacts", "contacts", "validations")
    ]


def test_what_is_required_and_not_found_stands_open_in_its_line(desk: Desk) -> None:
    desk.draft("a.csv", "colour,shape\nred,round\n")
    with pytest.raises(MappingError) as caught:
        desk.inspect()
    desk.confirm()
    assert "source.yaml line" in str(caught.value)
    assert (
        "exports.0.fields.campaign_id: expected an SQL expression, found none"
        in str(caught.value)
    )


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("campaign id,sent at\n1,2\n", ","),
        ("campaign id;sent at\n1;2,5\n", ";"),
        ("campaign id|sent at\n1|2\n", "|"),
    ],
)
def test_the_delimiter_is_the_one_that_divides(
    text: str, delimiter: str, desk: Desk
) -> None:
    desk.draft("a.csv", text)
    assert desk.export.reader.delimiter == [delimiter]


def test_tabs_and_old_encodings_are_declared(desk: Desk) -> None:
    text = "campaign id\tsent at\tbetreff\nü1\t2026-09-01\tx\n"
    _, sample, _ = desk.draft("a.tsv", text.encode("cp1252"))
    assert desk.export.reader.formats == ["tsv"]
    assert desk.export.reader.encodings == ["utf-8", "cp1252"]
    assert sample.name == "sample.tsv"
    with sample.open(encoding="utf-8", newline="") as handle:
        assert len(list(csv.reader(handle, delimiter="\t"))) == 3


def test_names_are_ours_whatever_the_header_says(desk: Desk) -> None:
    desk.draft("a.csv", "Order,order,Größe (cm),1st,case,record,,To\na,b,c,d,e,f,g,h\n")
    names = list(desk.export.inputs)
    assert len(names) == len(set(names)) == 7
    assert {"order", "case", "record", "to"}.isdisjoint(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)


def test_keys_that_are_people_are_not_written(desk: Desk) -> None:
    post = {"event": "open", "at": "2026-09-01T09:00:00Z", "email": "ann@private.test"}
    lines = [json.dumps(post | {"seen": {"bo@private.test": 1}}) for _ in range(3)]
    for path in desk.draft("posts.ndjson", "\n".join(lines) + "\n"):
        assert "private" not in path.read_text(encoding="utf-8")


def test_a_file_without_a_header_is_told_so(desk: Desk) -> None:
    with pytest.raises(MappingError, match="is a record and no header"):
        desk.draft("a.csv", "ann@private.test,1\nbo@private.test,2\n")
    assert not desk.folder.exists()


def test_a_file_that_cannot_be_read_leaves_no_folder(desk: Desk) -> None:
    with pytest.raises(RefusedError):
        desk.draft("a.csv.gz", b"\x1f\x8b\x08 cut")
    assert not desk.folder.exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [("Acme Mail", "lower case"), ("taken", "exists already"), ("new", "no file")],
)
def test_what_cannot_be_begun_is_told(name: str, says: str, desk: Desk) -> None:
    (desk.root / "sources" / "taken").mkdir()
    with pytest.raises(MappingError, match=says):
        new_source(name, desk.root / "gone.csv")


def test_without_an_export_it_is_a_frame(desk: Desk) -> None:
    [mapping] = new_source("acme", None)
    assert guesses(mapping.read_text(encoding="utf-8"))
    assert desk.export.lands == "campaign_stats"


def test_an_editor_finds_the_schema(desk: Desk) -> None:
    desk.draft("totals.csv", TOTALS)
    assert desk.mapping.startswith(MODELINE)
    schema: dict[str, Any] = json.loads(
        (desk.folder.parent / FILE).read_text(encoding="utf-8")
    )
    assert "exports" in schema["properties"]
