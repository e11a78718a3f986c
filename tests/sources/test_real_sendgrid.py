"""SendGrid's payloads: posts of its tests, and its own documented examples."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.conftest import Deployment, deploy
from tests.sources.payloads import PAYLOADS, fates_of, needs_payloads, read_payloads

POSTS = read_payloads("sendgrid/anymail_test_payloads.json")
EXAMPLES: list[Any] = read_payloads("sendgrid/docs_event_examples.json")
NO_EVENTS = {15, 17, 18, 19}
"""Arguments, a request to send, and an event of 1973 among the examples."""


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Posts and examples, each alone and all a post a line; the examples as they are."""
    deployment = deploy(tmp_path_factory.mktemp("sendgrid"))
    for name, posts in (
        ("posts", [post["payload"] for post in POSTS]),
        ("examples", EXAMPLES),
    ):
        for number, post in enumerate(posts):
            path = f"sendgrid/{name}_{number}/post.json"
            deployment.drop(path, json.dumps(post, indent=1))
        log = "".join(json.dumps(post) + "\n" for post in posts)
        deployment.drop(f"sendgrid/{name}/log.ndjson", log)
    document = PAYLOADS / "sendgrid" / "docs_event_examples.json"
    if document.is_file():
        deployment.drop("sendgrid/nested/examples.json", document.read_bytes())
    deployment.land()
    return deployment


@needs_payloads
@pytest.mark.parametrize("number", range(len(POSTS)))
def test_a_post_alone_is_loaded(number: int, landed: Deployment) -> None:
    load = landed.loads()[f"sendgrid/posts_{number}/post.json"]
    assert fates_of(load) == (1, 0, 0, {})
    assert load.unmapped == {}


@needs_payloads
def test_posts_of_one_event_told_twice_are_one_in_a_log(landed: Deployment) -> None:
    # Two posts repeat an event that another told: the first, and the delivered one.
    assert fates_of(landed.loads()["sendgrid/posts/log.ndjson"]) == (9, 2, 0, {})
    rows = [row for row in landed.rows("message_events") if row["account"] == "posts"]
    # What comes before the filter, or with nothing before it, what the header says.
    assert {row["message_id"] for row in rows} == {
        "wrfRRvF7Q0GgwUo2CvDmEA",
        "14c5d75ce93.dfd.64b469",
        "Lli-03HcQ5-JLybO9fXsJg",
        "u9Gvi3mzT6iC2poAb58_qQ",
        "_fjPjuJfRW-IPs5SuvYotg",
    }
    assert {row["drop_reason"] for row in rows if row["event_type"] == "dropped"} == {
        "invalid_address",
        "prior_bounce",
        "prior_unsubscribe",
    }


@needs_payloads
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_alone_is_loaded_unless_it_is_no_event(
    number: int, landed: Deployment
) -> None:
    load = landed.loads()[f"sendgrid/examples_{number}/post.json"]
    assert (load.state == "refused") == (number in NO_EVENTS)
    if number not in NO_EVENTS:
        post = EXAMPLES[number]
        count = len(post) if isinstance(post, list) else 1
        assert fates_of(load) == (count, 0, 0, {})
        assert load.unmapped == {}


@needs_payloads
def test_the_examples_as_they_are_and_a_post_a_line_give_the_same_events(
    landed: Deployment,
) -> None:
    loads = landed.loads()
    # 39 events; two opens without an id stand in two examples.
    assert fates_of(loads["sendgrid/nested/examples.json"]) == (33, 2, 4, {})
    # 27 posts; the one that holds both opens again is a duplicate.
    assert fates_of(loads["sendgrid/examples/log.ndjson"]) == (22, 1, 4, {})
    kinds: dict[str, Counter[str]] = {"nested": Counter(), "examples": Counter()}
    keys: dict[str, set[str]] = {"nested": set(), "examples": set()}
    for row in landed.rows("message_events"):
        if row["account"] in kinds:
            kinds[row["account"]][row["event_type"]] += 1
            keys[row["account"]].add(row["event_key"])
    assert kinds["nested"] == kinds["examples"]
    assert kinds["nested"].total() == len(keys["nested"]) == 33
    assert "other" not in kinds["nested"]
    # A bounce and a block that share one event id, and a bounce that says no type.
    assert kinds["nested"]["bounced"] == 3
