"""Postmark's payloads: every kind of record lands as what it is, or says why not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Deployment, deploy
from tests.sources.payloads import fates_of, needs_payloads, read_payloads

POSTS = read_payloads("postmark/anymail_test_payloads.json")
MEANING: dict[str, dict[str, Any]] = {
    "test_bounce_event": {"event_type": "bounced", "bounce_class": "hard"},
    "test_delivered_event": {"event_type": "delivered", "campaign_id": "welcome-email"},
    "test_open_event": {"event_type": "opened", "is_machine": None},
    "test_click_event": {"event_type": "clicked", "url_kind": "other"},
    "test_spam_event": {"event_type": "complained"},
    "test_unsubscribe": {"event_type": "unsubscribed", "initiator": "recipient"},
    "test_resubscribe": {"event_type": "resubscribed", "opt_out_scope": "stream"},
    # It names the recipient as its origin and is the consequence of a bounce.
    "test_subscription_change_bounce": {
        "event_type": "unsubscribed",
        "initiator": "system",
    },
}


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Every post as a file of its own, and all of them as one log."""
    deployment = deploy(tmp_path_factory.mktemp("postmark"))
    for post in POSTS:
        name = f"postmark/{post['test']}/post.json"
        deployment.drop(name, json.dumps(post["payload"], indent=1))
    log = "".join(json.dumps(post["payload"]) + "\n" for post in POSTS)
    deployment.drop("postmark/all/log.ndjson", log)
    deployment.land()
    return deployment


@needs_payloads
@pytest.mark.parametrize("kind", MEANING)
def test_a_post_alone_means_what_its_kind_says(kind: str, landed: Deployment) -> None:
    assert fates_of(landed.loads()[f"postmark/{kind}/post.json"]) == (1, 0, 0, {})
    rows = [row for row in landed.rows("message_events") if row["account"] == kind]
    assert [{name: row[name] for name in MEANING[kind]} for row in rows] == [
        MEANING[kind]
    ]


@needs_payloads
def test_the_request_to_leave_without_person_and_moment_is_refused(
    landed: Deployment,
) -> None:
    load = landed.loads()["postmark/test_bounce_unsubscribe_variant/post.json"]
    assert load.state == "refused"
    assert {post["test"] for post in POSTS} - set(MEANING) == {
        "test_bounce_unsubscribe_variant"
    }


@needs_payloads
def test_all_posts_in_one_log_are_loaded_but_the_one_cut_short(
    landed: Deployment,
) -> None:
    load = landed.loads()["postmark/all/log.ndjson"]
    assert fates_of(load) == (8, 0, 1, {})
    assert load.unmapped == {}
