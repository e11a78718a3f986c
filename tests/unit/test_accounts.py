"""``config/accounts.yaml``: what only the owner knows, checked before anything is read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dagster_project.accounts import (
    Account,
    ConfigurationError,
    Snapshot,
    load_accounts,
)
from tests.conftest import Deployment


def write(folder: Path, text: str) -> Path:
    (folder / "accounts.yaml").write_text(text, encoding="utf-8")
    return folder


def test_without_a_file_every_account_has_the_defaults(tmp_path: Path) -> None:
    accounts = load_accounts(tmp_path)
    assert accounts.of("any", "account") == Account()
    assert accounts.of("any", "account").zone == "UTC"


@pytest.mark.parametrize("text", ["", "accounts: {}", "# nothing yet"])
def test_an_empty_file_declares_nobody(text: str, tmp_path: Path) -> None:
    assert load_accounts(write(tmp_path, text)).declared == {}


def test_what_is_declared_holds_for_that_account_alone(tmp_path: Path) -> None:
    accounts = load_accounts(
        write(
            tmp_path,
            "accounts: {generic: {eu: {timezone: Europe/Copenhagen, opt_in: double,"
            " promised_per_week: 2, is_group_headline: true, settle_days: 10}}}",
        )
    )
    declared = accounts.of("generic", "eu")
    assert declared.zone == "Europe/Copenhagen"
    assert (declared.opt_in, declared.promised_per_week) == ("double", 2)
    assert (declared.is_group_headline, declared.settle_days) == (True, 10)
    assert accounts.of("generic", "us") == Account()


def test_a_snapshot_is_declared_for_one_list_or_for_all_of_its_day(
    tmp_path: Path,
) -> None:
    accounts = load_accounts(
        write(
            tmp_path,
            "accounts:\n"
            "  generic:\n"
            "    crm:\n"
            "      snapshots:\n"
            "        - { exported: 2026-09-01, scope: segment, list: Newsletter }\n"
            '        - { exported: "2026-10-01", scope: full }\n',
        )
    )
    assert accounts.of("generic", "crm").snapshots == (
        Snapshot(exported=date(2026, 9, 1), scope="segment", list="Newsletter"),
        Snapshot(exported=date(2026, 10, 1), scope="full", list=None),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("a: [", "not YAML", id="broken YAML"),
        pytest.param("- a list", "`accounts:` at the top", id="a list"),
        pytest.param("acounts: {}", "acounts", id="a misspelt top"),
        pytest.param(
            "accounts: {generic: {eu: {timezone: Mars/Base}}}",
            r"accounts\.generic\.eu\.timezone: .*IANA zone",
            id="an unknown zone",
        ),
        pytest.param(
            "accounts: {generic: {eu: {timezone: ../../etc/passwd}}}",
            r"accounts\.generic\.eu\.timezone: .*IANA zone",
            id="a path for a zone",
        ),
        pytest.param(
            "accounts: {generic: {eu: {time_zone: UTC}}}",
            r"accounts\.generic\.eu\.time_zone",
            id="a misspelt key",
        ),
        pytest.param(
            "accounts: {generic: {eu: {opt_in: triple}}}",
            r"accounts\.generic\.eu\.opt_in: .*single.*double",
            id="an unknown word",
        ),
        pytest.param(
            "accounts: {generic: {eu: {promised_per_week: 0}}}",
            r"promised_per_week: .*greater than 0",
            id="a promise of nothing",
        ),
        pytest.param(
            "accounts: {generic: {eu: {settle_days: -1}}}",
            r"settle_days: .*greater than or equal to 0",
            id="a negative age",
        ),
        pytest.param(
            "accounts: {generic: {eu: {snapshots: [{exported: 2026-09-01,"
            " scope: whole}]}}}",
            r"snapshots\.0\.scope: .*full.*segment",
            id="a scope that is no word",
        ),
        pytest.param(
            "accounts: {generic: {eu: {snapshots: [{exported: 2026-09-01}]}}}",
            r"snapshots\.0\.scope: Field required",
            id="a snapshot without a scope",
        ),
        pytest.param(
            "accounts: {generic: {eu: {snapshots: [{exported: last week,"
            " scope: full}]}}}",
            r"snapshots\.0\.exported: .*valid date",
            id="a day that is none",
        ),
        pytest.param(
            "accounts: {generic: {eu: {snapshots: [{exported: 2026-09-31,"
            " scope: full}]}}}",
            r"a day that no calendar knows",
            id="a day that no calendar knows",
        ),
        pytest.param(
            "accounts: {generic: {eu: {snapshots: [{exported: 2026-09-01,"
            " scope: full, lists: News}]}}}",
            r"snapshots\.0\.lists: Extra inputs",
            id="a misspelt key of a snapshot",
        ),
        pytest.param(
            "accounts: {generic: {eu: {snapshots: [{exported: 2026-09-01,"
            " scope: full}, {exported: 2026-09-01, scope: segment}]}}}",
            r"2026-09-01 is declared twice",
            id="two words about one day",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(
    text: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=rf"config/accounts\.yaml.*{says}"):
        load_accounts(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "mailchump: {eu: {}}", r"accounts\.mailchump: expected one of", id="source"
        ),
        pytest.param(
            "amazon_ses: {eu: {settings: {campaign: tag}}}",
            r"settings: expected campaign_from, not campaign",
            id="setting",
        ),
        pytest.param(
            "amazon_ses: {eu: {settings: {campaign_from: tags}}}",
            r"settings\.campaign_from: expected one of tag, configuration_set",
            id="value of a setting",
        ),
        pytest.param(
            "generic: {eu: {settings: {campaign_from: tag}}}",
            r"settings: expected no setting, not campaign_from",
            id="setting of another source",
        ),
    ],
)
def test_nothing_is_landed_with_an_unknown(
    text: str, says: str, deployment: Deployment
) -> None:
    deployment.configure(f"accounts: {{{text}}}")
    deployment.drop("generic/a.csv", "x")
    with pytest.raises(ConfigurationError, match=says):
        deployment.land()
    assert deployment.loads() == {}
