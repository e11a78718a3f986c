"""``config/accounts.yaml``: what only the owner knows, checked before anything is read."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from dagster_project.accounts import (
    Account,
    CategoryRule,
    Snapshot,
    StreamRule,
    load_accounts,
)
from dagster_project.configuration import ConfigurationError
from dagster_project.landing.land import _check_settings
from dagster_project.mapping.model import load_sources
from dagster_project.settings import PROJECT_ROOT, SOURCES
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
            " promised_per_week: 2, is_group_headline: true,"
            " streams_by_audience: true, settle_days: 10, lists_in: generic/crm}}}",
        )
    )
    declared = accounts.of("generic", "eu")
    assert declared.zone == "Europe/Copenhagen"
    assert (declared.opt_in, declared.promised_per_week) == ("double", 2)
    assert (declared.is_group_headline, declared.settle_days) == (True, 10)
    assert (declared.streams_by_audience, declared.lists_in) == (True, "generic/crm")
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
            r"accounts\.generic\.eu\.time_zone: no such key; expected .*timezone",
            id="a misspelt key",
        ),
        pytest.param(
            "accounts: {generic: {eu: {opt_in: triple}}}",
            r"accounts\.generic\.eu\.opt_in: .*single.*double",
            id="an unknown word",
        ),
        pytest.param(
            "accounts: {generic: {eu: {lists_in: crm}}}",
            r"lists_in: expected source/account",
            id="a place without an account",
        ),
        pytest.param(
            "accounts: {generic: {eu: {promised_per_week: 0}}}",
            r"promised_per_week: .*greater than 0",
            id="a promise of nothing",
        ),
        pytest.param(
            "accounts: {generic: {eu: {streams_by_audience: segment}}}",
            r"streams_by_audience: .*valid boolean",
            id="an audience where yes or no is asked",
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
            r"snapshots\.0\.lists: no such key; expected one of exported, scope, list",
            id="a misspelt key of a snapshot",
        ),
        pytest.param(
            "accounts: {generic: {eu: {snapshots: [{exported: 2026-09-01,"
            " scope: full}, {exported: 2026-09-01, scope: segment}]}}}",
            r"2026-09-01 is declared twice",
            id="two words about one day",
        ),
        pytest.param(
            "accounts: {generic: {eu: {streams: [{stream: Offers}]}}}",
            r"streams\.0: expected one or more of name, subject, tag, folder, audience",
            id="a stream rule that asks nothing",
        ),
        pytest.param(
            "accounts: {generic: {eu: {streams: [{name: sale}]}}}",
            r"streams\.0\.stream: Field required",
            id="a stream rule without a stream",
        ),
        pytest.param(
            "accounts: {generic: {eu: {streams: [{stream: Offers, name: '(sale'}]}}}",
            r"streams\.0\.name: expected a regular expression",
            id="a pattern that is none",
        ),
        pytest.param(
            "accounts: {generic: {eu: {streams: [{stream: A, name: ''}]}}}",
            r"streams\.0\.name: .*at least 1",
            id="an empty pattern",
        ),
        pytest.param(
            "accounts: {generic: {eu: {streams: [{stream: A, tag: 'a(?!b)'}]}}}",
            r"streams\.0\.tag: expected a pattern without",
            id="a pattern that the engine does not know",
        ),
        pytest.param(
            "accounts: {generic: {eu: {content_categories: [{category: Sale,"
            " audience: all}]}}}",
            r"content_categories\.0\.audience: no such key; expected one of name,"
            " subject, tag, folder, category",
            id="a category by audience",
        ),
        pytest.param(
            "accounts: {generic: {eu: {acquisition: {Fair: bought}}}}",
            r"acquisition\.Fair: expected one of single, double, import, event,"
            " purchased, api, manual$",
            id="a way of joining that is no word",
        ),
        pytest.param(
            "accounts: {generic: {eu: {acquisition: {Fair: event, ' fair': import}}}}",
            r"acquisition: expected every signup source once",
            id="a signup source in two spellings",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(
    text: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=rf"config/accounts\.yaml.*{says}"):
        load_accounts(write(tmp_path, text))


PLACED = """\
accounts:
  generic:
    eu: &eu
      timezone: Europe/Copenhagen
      streams:
        - stream: Offers
          name: sale
        - stream: News
          subject: weekly
    us: *eu
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param(
            "Europe/Copenhagen",
            "Mars/Base",
            r"line 4: accounts\.generic\.eu\.timezone: expected an IANA zone",
            id="of a value",
        ),
        pytest.param(
            "subject: weekly",
            "topic: weekly",
            r"line 9: accounts\.generic\.eu\.streams\.1\.topic: no such key",
            id="of a key",
        ),
        pytest.param(
            "- stream: News\n          subject",
            "- subject",
            r"line 8: accounts\.generic\.eu\.streams\.1\.stream: Field required",
            id="of what lacks a key",
        ),
        pytest.param(
            "us: *eu",
            "eu: {}",
            r"line 10: accounts\.generic\.eu stands in line 3 already",
            id="of both, where an account stands twice",
        ),
        pytest.param(
            "Europe/Copenhagen",
            "2026-02-30",
            r"line 4: accounts\.generic\.eu\.timezone: a day that no calendar knows",
            id="of a date that is none",
        ),
    ],
)
def test_a_mistake_is_named_with_the_line(
    old: str, new: str, says: str, tmp_path: Path
) -> None:
    load_accounts(write(tmp_path, PLACED))
    with pytest.raises(ConfigurationError, match=rf"config/accounts\.yaml, {says}"):
        load_accounts(write(tmp_path, PLACED.replace(old, new)))


def test_rules_stand_in_their_order_and_signup_sources_without_case(
    tmp_path: Path,
) -> None:
    accounts = load_accounts(
        write(
            tmp_path,
            "accounts:\n"
            "  generic:\n"
            "    eu:\n"
            "      streams:\n"
            "        - { stream: Offers, name: sale, tag: ^promo$ }\n"
            "        - { stream: News, audience: . }\n"
            "      content_categories: [{ category: promotion, subject: '%' }]\n"
            "      acquisition: { ' Trade Fair ': event, Bought List: purchased }\n",
        )
    )
    declared = accounts.of("generic", "eu")
    assert [(rule.stream, rule.patterns) for rule in declared.streams] == [
        ("Offers", {"name": "sale", "tag": "^promo$"}),
        ("News", {"audience": "."}),
    ]
    assert [(r.category, r.patterns) for r in declared.content_categories] == [
        ("promotion", {"subject": "%"})
    ]
    assert declared.acquisition == {"trade fair": "event", "bought list": "purchased"}


EXAMPLES = re.findall(
    r"```yaml\n(.*?)```",
    (PROJECT_ROOT / "docs" / "accounts.md").read_text(encoding="utf-8"),
    re.DOTALL,
)


@pytest.mark.parametrize("text", EXAMPLES, ids=["every key", "shared rules"])
def test_a_documented_example_holds(text: str, tmp_path: Path) -> None:
    accounts = load_accounts(write(tmp_path, text))
    _check_settings(accounts, load_sources(SOURCES))
    assert accounts.declared


def test_the_documented_example_shows_every_key(tmp_path: Path) -> None:
    declared = load_accounts(write(tmp_path, EXAMPLES[0])).declared.values()
    shown = {name for account in declared for name in account.model_fields_set}
    assert shown == set(Account.model_fields)
    for rules, model in (
        ("streams", StreamRule),
        ("content_categories", CategoryRule),
        ("snapshots", Snapshot),
    ):
        used = {
            name
            for account in declared
            for rule in getattr(account, rules)
            for name in rule.model_fields_set
        }
        assert used == set(model.model_fields)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "accounts.yaml").write_bytes("accounts: {} # ü".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_accounts(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "mailchump: {eu: {}}", r"accounts\.mailchump: expected one of", id="source"
        ),
        pytest.param(
            "amazon_ses: {eu: {settings: {campaign: tag}}}",
            r"settings\.campaign: expected campaign_from",
            id="setting",
        ),
        pytest.param(
            "amazon_ses: {eu: {settings: {campaign_from: tags}}}",
            r"settings\.campaign_from: expected one of tag, configuration_set",
            id="value of a setting",
        ),
        pytest.param(
            "generic: {eu: {settings: {campaign_from: tag}}}",
            r"settings\.campaign_from: expected no setting",
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
