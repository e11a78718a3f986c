"""Two accounts of one source that use the same ids, and the rules of their owner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.integration.pipeline import Deployment

pytestmark = pytest.mark.slow

ACCOUNTS = """\
accounts:
  generic:
    eu:
      industry: e-commerce
      promised_per_week: 2
      timezone: Europe/Copenhagen
      streams:
        - { stream: Offers, name: sale }
        - { stream: Offers, tag: ^promo$ }
        - { stream: Digest, name: weekly }
      content_categories:
        - { category: promotion, folder: ^Shop/ }
      acquisition: { TRADE FAIR: event }
    us:
      opt_in: double
"""

TOTALS = (
    "campaign_id,campaign_name,audience,tags,folder,send_type,sent_at,sent,delivered,"
    "unsubscribes\n"
    "c1,Weekly sale,all,,Shop/2026,,2026-03-02T09:00:00Z,{sent},{sent},{left}\n"
    'c2,Spring,all,"spring, Promo",,,2026-03-03T09:00:00Z,100,100,0\n'
    "c3,Receipts of the sale,all,,,transactional,2026-03-04T09:00:00Z,50,50,0\n"
    "c4,Hello,all,promotion,,,2026-03-05T09:00:00Z,10,10,0\n"
)

HEADER = "event_id,event_type,occurred_at,email,campaign_id,message_id,campaign_name\n"
DELIVERED = (
    "e1,sent,2026-03-10T09:00:00Z,jane@example.com,e,m1,Weekly note\n"
    "e2,delivered,2026-03-10T09:00:05Z,jane@example.com,e,m1,Weekly note\n"
)
LEFT = "e3,unsubscribed,2026-03-10T10:00:00Z,jane@example.com,e,m1,Weekly note\n"

CONTACTS = (
    "email,list,status,exported_at,snapshot_scope,opted_in_at,signup_source\n"
    "jane@example.com,news,{status},2026-03-20T00:00:00Z,full,2026-01-01T00:00:00Z,"
    "Trade fair\n"
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Both accounts after one run; jane is on both lists and left the European one."""
    deployment = Deployment(tmp_path_factory.mktemp("accounts"))
    files = {
        "eu/totals.csv": TOTALS.format(sent=1000, left=2),
        "us/totals.csv": TOTALS.format(sent=400, left=4),
        "eu/events.csv": HEADER + DELIVERED + LEFT,
        "us/events.csv": HEADER + DELIVERED,
        "eu/contacts.csv": CONTACTS.format(status="unsubscribed"),
        "us/contacts.csv": CONTACTS.format(status="subscribed"),
    }
    for name, content in files.items():
        path = deployment.inbox / "generic" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    config: Path = deployment.home / "config"
    config.mkdir(parents=True)
    (config / "accounts.yaml").write_text(ACCOUNTS, encoding="utf-8")
    deployment.run()
    return deployment


def facts(ran: Deployment, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(ran.home / "warehouse.duckdb"), read_only=True) as opened:
        return opened.execute(sql).fetchall()


def test_the_same_campaign_id_in_two_accounts_is_two_campaigns(
    ran: Deployment,
) -> None:
    rates = ran.query(
        "select account, campaign_id, delivered_count, unsubscribe_count,"
        " unsubscribe_rate_pct from main.campaign_unsubscribe_rates"
        " where campaign_id in ('c1', 'e') order by all"
    )
    assert [tuple(row.values()) for row in rates] == [
        ("eu", "c1", 1000, 2, pytest.approx(0.2)),  # 2 / 1,000
        ("eu", "e", 1, 1, pytest.approx(100.0)),  # jane left
        ("us", "c1", 400, 4, pytest.approx(1.0)),  # 4 / 400
        ("us", "e", 1, 0, pytest.approx(0.0)),  # and stayed here
    ]


def test_the_same_event_and_message_id_in_two_accounts_is_two_messages(
    ran: Deployment,
) -> None:
    assert facts(
        ran,
        "select account, outcome, is_opted_out, stream_id from facts.fct_sends"
        " order by all",
    ) == [
        ("eu", "delivered", True, "generic/eu/Digest"),
        ("us", "delivered", False, "generic/us/us"),
    ]


def test_leaving_one_account_is_not_leaving_the_other(ran: Deployment) -> None:
    assert facts(ran, "select account from facts.fct_opt_outs") == [("eu",)]
    assert facts(ran, "select count(*) from facts.dim_contacts") == [(1,)]
    assert facts(
        ran,
        "select account, exit_cause, opt_in_method, opt_in_method_basis"
        " from facts.fct_list_spells order by all",
    ) == [
        ("eu", "unsubscribe", "event", "signup_source"),
        ("us", None, "double", "account"),
    ]


def test_every_mart_keeps_both_accounts_apart(ran: Deployment) -> None:
    """As many rows for one account as for the other, wherever both told the same."""
    for mart, where in {
        "campaign_unsubscribe_rates": "true",
        "list_decay_monthly": "true",
        "opt_out_conservation": "true",
        "source_trust": "true",
        "source_freshness": "true",
        "coverage": "true",
        "load_ledger": "true",
        "unsubscribe_rates_monthly": "stream_id = '(all)'",
    }.items():
        counts = ran.query(
            f"select account, count(*) as rows from main.{mart} where {where}"
            " group by all order by all"
        )
        assert [row["account"] for row in counts] == ["eu", "us"], mart
        assert counts[0]["rows"] == counts[1]["rows"], mart


def test_rules_name_streams_and_categories_of_their_account_alone(
    ran: Deployment,
) -> None:
    """c1 is a sale before it is weekly; c4 has no tag `promo`, only one like it."""
    campaigns = facts(
        ran,
        "select account, campaign_id, stream_id, stream_basis, content_category,"
        " industry from facts.dim_campaigns order by all",
    )
    assert campaigns == [
        ("eu", "c1", "generic/eu/Offers", "rule", "promotion", "e-commerce"),
        ("eu", "c2", "generic/eu/Offers", "rule", None, "e-commerce"),
        ("eu", "c3", "generic/eu/Offers/transactional", "rule", None, "e-commerce"),
        ("eu", "c4", "generic/eu/all", "list", None, "e-commerce"),
        ("eu", "e", "generic/eu/Digest", "rule", None, "e-commerce"),
        ("us", "c1", "generic/us/all", "list", None, None),
        ("us", "c2", "generic/us/all", "list", None, None),
        ("us", "c3", "generic/us/all/transactional", "list", None, None),
        ("us", "c4", "generic/us/all", "list", None, None),
        ("us", "e", "generic/us/us", "account", None, None),
    ]
    streams = facts(
        ran,
        "select stream_id, campaign_count from facts.dim_streams"
        " where account = 'eu' order by all",
    )
    assert streams == [
        ("generic/eu/Digest", 1),
        ("generic/eu/Offers", 2),
        ("generic/eu/Offers/transactional", 1),
        ("generic/eu/all", 1),
    ]


def test_what_the_owner_declared_is_in_the_dimension_of_sources(
    ran: Deployment,
) -> None:
    assert facts(
        ran,
        "select account, timezone, industry, opt_in, promised_per_week"
        " from facts.dim_sources order by all",
    ) == [
        ("eu", "Europe/Copenhagen", "e-commerce", None, 2.0),
        ("us", "UTC", None, "double", None),
    ]
