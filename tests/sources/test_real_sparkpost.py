"""SparkPost's payloads: posts of events in their envelopes, and its ping."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Deployment, deploy
from tests.sources.payloads import fates_of, needs_payloads, read_payloads

POSTS = read_payloads("sparkpost/anymail_test_payloads.json")
MEANING: dict[str, dict[str, Any]] = {
    "test_injection_event": {
        "event_type": "sent",
        "campaign_id": "Example Campaign Name",
    },
    "test_delivery_event": {"event_type": "delivered"},
    "test_bounce_event": {"event_type": "bounced", "bounce_class": "hard"},
    "test_delay_event": {"event_type": "deferred", "bounce_class": None},
    "test_unsubscribe_event": {
        "event_type": "unsubscribed",
        "opt_out_method": "header_one_click",
    },
    "test_generation_rejection_event": {
        "event_type": "dropped",
        "drop_reason": "other",
    },
    "test_generation_failure_event": {"event_type": "failed"},
}


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Every post as a file of its own, and all of them a post a line."""
    deployment = deploy(tmp_path_factory.mktemp("sparkpost"))
    for post in POSTS:
        name = f"sparkpost/{post['test']}/post.json"
        deployment.drop(name, json.dumps(post["payload"], indent=1))
    log = "".join(json.dumps(post["payload"]) + "\n" for post in POSTS)
    deployment.drop("sparkpost/all/log.ndjson", log)
    deployment.land()
    return deployment


@needs_payloads
@pytest.mark.parametrize("kind", MEANING)
def test_a_post_alone_means_what_its_kind_says(kind: str, landed: Deployment) -> None:
    assert fates_of(landed.loads()[f"sparkpost/{kind}/post.json"]) == (1, 0, 0, {})
    rows = [row for row in landed.rows("message_events") if row["account"] == kind]
    assert [{name: row[name] for name in MEANING[kind]} for row in rows] == [
        MEANING[kind]
    ]


@needs_payloads
def test_a_ping_is_skipped_and_a_post_without_a_moment_refused(
    landed: Deployment,
) -> None:
    loads = landed.loads()
    assert fates_of(loads["sparkpost/test_ping_event/post.json"]) == (
        *(0, 0, 0),
        {"ping": 1},
    )
    # The test's own shortened events: no timestamp, six posts.
    dateless = {post["test"] for post in POSTS} - {*MEANING, "test_ping_event"}
    assert len(dateless) == 6
    for kind in dateless:
        assert loads[f"sparkpost/{kind}/post.json"].state == "refused"


@needs_payloads
def test_all_posts_in_one_log_are_loaded_skipped_or_rejected(
    landed: Deployment,
) -> None:
    load = landed.loads()["sparkpost/all/log.ndjson"]
    assert load.record_count == len(POSTS) == 14
    assert fates_of(load) == (7, 0, 6, {"ping": 1})
    assert load.unmapped == {}
