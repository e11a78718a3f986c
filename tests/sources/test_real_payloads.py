"""Real payloads of the first sources: each lands or says why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Deployment, deploy
from tests.sources.payloads import (
    PAYLOADS,
    assert_accounted,
    needs_payloads,
    read_payloads,
)

MAIL_EVENTS = read_payloads("amazon_ses/anymail_test_payloads.json")
VALIDATIONS = PAYLOADS / "validators" / "zerobounce"


def _validations() -> list[Path]:
    return sorted(VALIDATIONS.iterdir()) if VALIDATIONS.is_dir() else []


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Every payload as a file of its own, and the mail events also as one log."""
    deployment = deploy(tmp_path_factory.mktemp("payloads"))
    events = [entry["payload"] for entry in MAIL_EVENTS]
    for number, payload in enumerate(events):
        deployment.drop(f"amazon_ses/one/{number}.json", json.dumps(payload, indent=1))
    log = "".join(json.dumps(payload) + "\n" for payload in events)
    deployment.drop("amazon_ses/all/log.ndjson", log)
    for path in _validations():
        deployment.drop(f"zerobounce/one/{path.name}", path.read_bytes())
    deployment.land()
    return deployment


@needs_payloads
@pytest.mark.parametrize("number", range(len(MAIL_EVENTS)))
def test_a_mail_event_alone_lands_or_says_why_not(
    number: int, landed: Deployment
) -> None:
    load = landed.loads()[f"amazon_ses/one/{number}.json"]
    assert_accounted(load)
    kind = str(MAIL_EVENTS[number]["test"])
    # The vendor's documentation leaves the moment out of these three examples.
    is_dated = not any(
        word in kind for word in ("multiple_bounce", "complaint", "rendering_failure")
    )
    is_mail = kind.endswith("_event") and "received" not in kind
    assert (load.state != "refused") == (is_dated and is_mail)


@needs_payloads
def test_all_mail_events_in_one_log_are_each_loaded_skipped_or_rejected(
    landed: Deployment,
) -> None:
    load = landed.loads()["amazon_ses/all/log.ndjson"]
    assert_accounted(load)
    assert load.state == "loaded"
    assert load.record_count == len(MAIL_EVENTS)
    # Bounce, delivery, send, reject, open and click come bare and in an envelope.
    assert (load.loaded_count, load.duplicate_count) == (6, 6)
    assert load.skipped == {"not_a_mail_event": 1}


@needs_payloads
@pytest.mark.parametrize("path", _validations(), ids=lambda path: path.name)
def test_a_validator_file_lands_or_says_why_not(path: Path, landed: Deployment) -> None:
    load = landed.loads()[f"zerobounce/one/{path.name}"]
    assert_accounted(load)
    holds_verdicts = path.name.startswith(("batch-validate-", "getfile-"))
    assert (load.state == "loaded") == holds_verdicts
    if holds_verdicts:
        assert load.loaded_count == load.record_count
        assert load.unmapped == {}
