"""Mailgun's payloads: webhook posts, and what is no event among them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Deployment, deploy
from tests.sources.payloads import fates_of, needs_payloads, read_payloads

POSTS = read_payloads("mailgun/anymail_test_payloads.json")
MEANING: dict[str, dict[str, Any]] = {
    "test_delivered_event": {"event_type": "delivered", "subject": "Testing"},
    "test_failed_permanent_event": {"event_type": "bounced", "bounce_class": "hard"},
    "test_failed_temporary_event": {"event_type": "deferred", "bounce_class": None},
    "test_failed_greylisted_event": {"event_type": "deferred", "bounce_class": None},
    # Its person stands in the To header only.
    "test_rejected_event": {"event_type": "dropped", "drop_reason": "policy"},
    "test_complained_event": {"event_type": "complained"},
    "test_unsubscribed_event": {
        "event_type": "unsubscribed",
        "opt_out_scope": "unknown",
    },
    "test_opened_event": {"event_type": "opened", "tags": "welcome, variation-A"},
    "test_clicked_event": {"event_type": "clicked", "url_kind": "other"},
}
WITHOUT_MOMENT = {
    "test_verifies_bad_signature",
    "test_delivery_status_is_none_event",
    "test_metadata_key_conflicts",
}


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Every post as a file of its own, all as one log, and the events as one page."""
    deployment = deploy(tmp_path_factory.mktemp("mailgun"))
    for post in POSTS:
        name = f"mailgun/{post['test']}/post.json"
        deployment.drop(name, json.dumps(post["payload"], indent=1))
    log = "".join(json.dumps(post["payload"]) + "\n" for post in POSTS)
    deployment.drop("mailgun/all/log.ndjson", log)
    events = [post["payload"].get("event-data") for post in POSTS]
    page = {"items": [event for event in events if event], "paging": {}}
    deployment.drop("mailgun/pages/page.json", json.dumps(page))
    deployment.land()
    return deployment


@needs_payloads
@pytest.mark.parametrize("kind", MEANING)
def test_a_post_alone_means_what_its_kind_says(kind: str, landed: Deployment) -> None:
    assert fates_of(landed.loads()[f"mailgun/{kind}/post.json"]) == (1, 0, 0, {})
    rows = [row for row in landed.rows("message_events") if row["account"] == kind]
    assert [{name: row[name] for name in MEANING[kind]} for row in rows] == [
        MEANING[kind]
    ]


@needs_payloads
def test_what_has_no_moment_is_refused(landed: Deployment) -> None:
    assert {post["test"] for post in POSTS} == {*MEANING, *WITHOUT_MOMENT}
    for kind in WITHOUT_MOMENT:
        assert landed.loads()[f"mailgun/{kind}/post.json"].state == "refused"


@needs_payloads
def test_all_posts_in_one_log_are_loaded_or_rejected(landed: Deployment) -> None:
    load = landed.loads()["mailgun/all/log.ndjson"]
    assert fates_of(load) == (9, 0, 3, {})
    assert load.unmapped == {}


@needs_payloads
def test_the_same_events_on_a_page_of_the_api_are_the_same(landed: Deployment) -> None:
    # The legacy test's loose fields are no event and on no page: 11 of 12.
    load = landed.loads()["mailgun/pages/page.json"]
    assert fates_of(load) == (9, 0, 2, {})
    keys = {
        account: {
            row["event_key"]
            for row in landed.rows("message_events")
            if row["account"] == account
        }
        for account in ("all", "pages")
    }
    assert len(keys["all"]) == len(keys["pages"]) == 9
