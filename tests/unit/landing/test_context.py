"""The small tables beside the lake: this run, every judged file, every account."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pyarrow.parquet as pq

from dagster_project.landing.land import land_inbox
from tests.conftest import NOW, Deployment

EVENTS = (
    "event_id,event_type,occurred_at,email,owner\n"
    "e1,sent,2026-09-01T09:00:00Z,jane@example.com,Ann\n"
    "e2,teleported,2026-09-01T09:00:00Z,jane@example.com,Ann\n"
)


def table(deployment: Deployment, name: str) -> list[dict[str, Any]]:
    path = deployment.settings.at.context / f"{name}.parquet"
    return pq.ParquetFile(path).read().to_pylist()


def test_a_run_says_its_clock_and_the_build_it_gives(deployment: Deployment) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    landed = deployment.land()
    assert table(deployment, "run_context") == [
        {"build_id": landed.build_id, "now_at": NOW}
    ]


def test_the_same_lake_at_the_same_clock_is_the_same_build(
    deployment: Deployment,
) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    first = deployment.land().build_id
    assert deployment.land().build_id == first
    later = deployment.land(days=1).build_id
    deployment.configure("accounts: {generic: {default: {industry: e-commerce}}}")
    declared = deployment.land(days=1).build_id
    deployment.drop("generic/again.csv", EVENTS)
    assert deployment.land(days=1).build_id == declared
    deployment.drop("generic/b.csv", EVENTS.replace("e1", "e7"))
    more = deployment.land(days=1).build_id
    assert len({first, later, declared, more}) == 4


def test_every_judged_file_is_a_row_of_loads(deployment: Deployment) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.drop("generic/b.csv", EVENTS)
    deployment.drop("generic/c.csv", "")
    deployment.land(days=1)
    loads = {row["file_name"]: row for row in table(deployment, "loads")}
    assert [row["state"] for row in loads.values()] == [
        "loaded",
        "duplicate",
        "refused",
    ]
    loaded = loads["generic/a.csv"]
    assert (loaded["source"], loaded["source_kind"]) == ("generic", "any")
    assert (loaded["exports"], loaded["account"]) == ("events", "default")
    assert (loaded["record_count"], loaded["loaded_count"], loaded["row_count"]) == (
        2,
        2,
        2,
    )
    assert (loaded["unmapped_count"], loaded["ignored_columns"]) == (1, "owner")
    assert loaded["first_seen_at"] == datetime(2026, 11, 2)
    assert loads["generic/b.csv"]["duplicate_of"] == loaded["load"]
    assert loads["generic/c.csv"]["refusal_reason"] == "empty"


def test_accounts_are_those_seen_and_those_declared(deployment: Deployment) -> None:
    deployment.drop("generic/eu/a.csv", EVENTS)
    deployment.configure(
        "accounts: {generic: {us: {timezone: America/New_York, industry: media,"
        " opt_in: double, promised_per_week: 1.5, is_group_headline: true,"
        " streams_by_audience: true, settle_days: 9, lists_in: generic/crm}}}"
    )
    deployment.land()
    seen, declared = table(deployment, "accounts")
    assert seen == {
        "source": "generic",
        "account": "eu",
        "timezone": "UTC",
        "is_timezone_declared": False,
        "industry": None,
        "opt_in": None,
        "promised_per_week": None,
        "lists_in": None,
        "is_group_headline": False,
        "streams_by_audience": False,
        "settle_days": None,
    }
    assert declared == {
        "source": "generic",
        "account": "us",
        "timezone": "America/New_York",
        "is_timezone_declared": True,
        "industry": "media",
        "opt_in": "double",
        "promised_per_week": 1.5,
        "lists_in": "generic/crm",
        "is_group_headline": True,
        "streams_by_audience": True,
        "settle_days": 9,
    }


def test_what_no_owner_declared_is_an_empty_table(deployment: Deployment) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.land()
    for name in ("snapshot_declarations", "campaign_rules", "acquisitions"):
        assert table(deployment, name) == []


def test_a_declared_snapshot_lands_nothing_again(deployment: Deployment) -> None:
    deployment.drop("generic/crm/a.csv", EVENTS)
    before = deployment.land().build_id
    deployment.configure(
        "accounts: {generic: {crm: {snapshots: ["
        "{exported: 2026-10-01, scope: segment, list: News},"
        " {exported: 2026-09-01, scope: full}]}}}"
    )
    landed = deployment.land()
    assert landed.judged == []
    assert landed.build_id != before
    assert table(deployment, "snapshot_declarations") == [
        {
            "source": "generic",
            "account": "crm",
            "list": "News",
            "scope": "segment",
            "exported_date": date(2026, 10, 1),
        },
        {
            "source": "generic",
            "account": "crm",
            "list": None,
            "scope": "full",
            "exported_date": date(2026, 9, 1),
        },
    ]


def test_declared_rules_land_nothing_again(deployment: Deployment) -> None:
    deployment.drop("generic/crm/a.csv", EVENTS)
    before = deployment.land().build_id
    deployment.configure(
        "accounts: {generic: {crm: {"
        "streams: [{stream: Offers, name: sale, tag: ^promo$}, {stream: News, name: .}],"
        " content_categories: [{category: promotion, subject: '%', folder: '2026'}],"
        " acquisition: {Trade Fair: event}}}}"
    )
    landed = deployment.land()
    assert landed.judged == []
    assert landed.build_id != before
    rule = {"source": "generic", "account": "crm", "audience_pattern": None}
    assert table(deployment, "campaign_rules") == [
        rule
        | {
            "decides": "stream",
            "rule_number": 1,
            "value": "Offers",
            "name_pattern": "sale",
            "subject_pattern": None,
            "tag_pattern": "^promo$",
            "folder_pattern": None,
        },
        rule
        | {
            "decides": "stream",
            "rule_number": 2,
            "value": "News",
            "name_pattern": ".",
            "subject_pattern": None,
            "tag_pattern": None,
            "folder_pattern": None,
        },
        rule
        | {
            "decides": "content_category",
            "rule_number": 1,
            "value": "promotion",
            "name_pattern": None,
            "subject_pattern": "%",
            "tag_pattern": None,
            "folder_pattern": "2026",
        },
    ]
    assert table(deployment, "acquisitions") == [
        {
            "source": "generic",
            "account": "crm",
            "signup_source": "trade fair",
            "opt_in_method": "event",
        }
    ]


def test_an_empty_inbox_still_writes_the_tables_of_what_is_there(
    deployment: Deployment,
) -> None:
    path = deployment.drop("generic/a.csv", EVENTS)
    deployment.land()
    path.unlink()
    land_inbox(deployment.settings)
    assert len(table(deployment, "loads")) == 1


def test_every_export_of_every_mapping_is_listed_used_or_not(
    deployment: Deployment,
) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.land()
    exports = {
        (row["source"], row["export"]): row
        for row in table(deployment, "source_exports")
    }
    contacts = exports["generic", "contacts"]
    assert (contacts["source_kind"], contacts["lands"]) == ("any", "contact_snapshots")
    assert contacts["required_columns"] == "email, list, status, exported_at"
    assert contacts["event_types"] is None
    assert "signup_source" in contacts["fields"].split(", ")
    fields = table(deployment, "source_export_fields")
    assert {
        "source": "generic",
        "export": "contacts",
        "field": "reason",
        "column_name": "opt_out_reason",
    } in fields
    assert {(row["source"], row["export"]) for row in fields} == set(exports)


def test_a_file_that_did_not_land_still_came_at_a_moment(
    deployment: Deployment,
) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.drop("generic/b.csv", EVENTS)
    deployment.drop("generic/c.csv", "")
    deployment.land()
    loads = table(deployment, "loads")
    assert [row["state"] for row in loads] == ["loaded", "duplicate", "refused"]
    assert all(row["exported_at"] <= row["first_seen_at"] for row in loads)
