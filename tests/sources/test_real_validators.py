"""Real answers of list validators: each verdict lands, everything else is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dagster_project.landing.ledger import Load
from tests.conftest import Deployment, deploy
from tests.sources.payloads import (
    PAYLOADS,
    assert_accounted,
    needs_payloads,
    read_payloads,
)

VALIDATORS = PAYLOADS / "validators"
BODIES = read_payloads("validators/briteverify/api-docs-response-bodies.json")
TRANSACTIONS = [body for body in BODIES if "Single Transaction" in body["path"]]
RESULTS = {
    "Get list results (contacts parameter)": 2,
    "Get list results (emails parameter)": 4,
    "Get list results - Last page": 3,
}
"""Answers that hold the verdicts of a list, and how many."""

FILES = {
    "bouncer/batch-download.json": 1,
    "kickbox/verify-responses.json": 2,
    "millionverifier/dashboard-export.csv": 15,
    "uchecker/results-example.csv": 2,
}
"""Files of verdicts and how many they hold."""


def _body(number: int) -> str:
    return f"briteverify/one/{number}.json"


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Every file, every answer as a file of its own, and the transactions as one log."""
    deployment = deploy(tmp_path_factory.mktemp("validators"))
    for name in (*FILES, "neverbounce/job-status.response.json"):
        vendor, _, file = name.partition("/")
        deployment.drop(f"{vendor}/one/{file}", (VALIDATORS / name).read_bytes())
    for number, body in enumerate(BODIES):
        deployment.drop(_body(number), json.dumps(body["body"], indent=1))
    log = "".join(json.dumps(body["body"]) + "\n" for body in TRANSACTIONS)
    deployment.drop("briteverify/log/transactions.ndjson", log)
    deployment.land()
    return deployment


def fates(load: Load) -> tuple[int, int, int, int]:
    """Loaded, duplicate, skipped and rejected records."""
    return (
        load.loaded_count,
        load.duplicate_count,
        load.skipped_count,
        load.rejected_count,
    )


def verdicts(deployment: Deployment, name: str) -> list[dict[str, Any]]:
    """The rows of one file in its order."""
    rows = deployment.rows("list_validations", "record_number")
    return [row for row in rows if row["load"] == deployment.loads()[name].load]


@needs_payloads
@pytest.mark.parametrize("name", FILES)
def test_every_verdict_of_a_file_lands(name: str, landed: Deployment) -> None:
    load = landed.loads()[name.replace("/", "/one/")]
    assert_accounted(load)
    assert load.state == "loaded"
    assert fates(load) == (FILES[name], 0, 0, 0)
    assert load.unmapped == {}


@needs_payloads
def test_a_dashboard_tells_the_words_of_its_vendor(landed: Deployment) -> None:
    rows = verdicts(landed, "millionverifier/one/dashboard-export.csv")
    # The readme that shows the file counts 6 sendable, 7 invalid, 2 disposable.
    told = [row["validation_status"] for row in rows]
    assert {word: told.count(word) for word in told} == {
        "deliverable": 6,
        "undeliverable": 7,
        "risky": 2,
    }
    disposable = [row for row in rows if row["is_disposable"]]
    assert [row["is_role"] for row in disposable] == [True, True]
    assert {row["channel"] for row in rows} == {"bulk"}


@needs_payloads
def test_a_good_address_of_unknown_kind_is_of_unknown_risk(landed: Deployment) -> None:
    good, bad = verdicts(landed, "uchecker/one/results-example.csv")
    assert (good["validation_status"], good["risk"]) == ("deliverable", "unknown")
    assert (bad["validation_reason"], bad["risk"]) == ("domain_not_found", "high")
    kinds = ("is_role", "is_disposable", "is_catch_all", "is_spamtrap", "is_free")
    assert {row[kind] for row in (good, bad) for kind in kinds} == {None}


@needs_payloads
def test_the_status_of_a_job_is_no_list_of_verdicts(landed: Deployment) -> None:
    load = landed.loads()["neverbounce/one/job-status.response.json"]
    assert (load.state, load.refusal_reason) == ("refused", "unknown_export")


@needs_payloads
@pytest.mark.parametrize("number", range(len(BODIES)))
def test_an_answer_lands_its_verdicts_or_is_about_no_address(
    number: int, landed: Deployment
) -> None:
    load = landed.loads()[_body(number)]
    assert_accounted(load)
    body = BODIES[number]
    expected = RESULTS.get(body["name"], int(body in TRANSACTIONS))
    if not expected:
        # Some have a status of their own, so that only the address is missing.
        assert load.refusal_reason in ("unknown_export", "missing_column")
        return
    assert load.state in ("loaded", "duplicate")
    if load.state == "loaded":
        assert fates(load) == (expected, 0, 0, 0)
        assert load.unmapped == {}


@needs_payloads
def test_all_transactions_in_one_log_land_once(landed: Deployment) -> None:
    name = "briteverify/log/transactions.ndjson"
    load = landed.loads()[name]
    assert_accounted(load)
    # One address is asked for twice, with a phone number and without.
    assert fates(load) == (len(TRANSACTIONS) - 1, 1, 0, 0)
    told = {
        (row["validation_status"], row["validation_reason"], row["risk"])
        for row in verdicts(landed, name)
    }
    assert told == {
        ("deliverable", "role", "medium"),
        ("risky", "disposable", "high"),
        ("undeliverable", "mailbox_not_found", "high"),
        ("undeliverable", "domain_not_found", "high"),
    }
