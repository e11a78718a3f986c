"""The demo year: the same bytes every time, every story in the numbers, real formats.

Stories are looked for in the full draw; files are read from a small one.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
from collections import Counter
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dagster_project.accounts import load_accounts
from dagster_project.demo import STORIES, write_demo
from dagster_project.demo.configuration import write_configuration
from dagster_project.demo.mail import draw_year
from dagster_project.demo.people import REMOVED_KINDS
from dagster_project.demo.records import STATUSES, campaign_totals, preference_events
from dagster_project.demo.stories import (
    PREFERENCE_CENTRE_DAY,
    SHOP_OFFERS,
    TOPICS,
    Story,
)
from dagster_project.demo.world import HOUR, NEVER, SECOND, World
from dagster_project.settings import Home

SMALL = 0.1
MAILCHIMP = "mailchimp/newsletter"


@pytest.fixture(scope="module")
def world() -> World:
    return draw_year()


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo")
    write_demo(directory, scale=SMALL)
    return directory


@pytest.fixture(scope="module")
def totals(world: World) -> pd.DataFrame:
    totals = campaign_totals(world, MAILCHIMP, world.end)
    totals["rate"] = totals["unsubscribes"] / totals["delivered"]
    totals["open_rate"] = totals["unique_opens"] / totals["delivered"]
    totals["click_to_open"] = totals["unique_clicks"] / totals["unique_opens"]
    return totals.set_index("campaign_id")


@pytest.fixture(scope="module")
def records(inbox: Path) -> list[dict[str, Any]]:
    records = []
    for path in sorted((inbox / "amazon_ses/shop").iterdir()):
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            record = json.loads(line)
            if path.name.startswith("notifications"):
                record = json.loads(record["Message"])
            records.append(record)
    return records


@pytest.fixture(scope="module")
def contacts(inbox: Path) -> pd.DataFrame:
    paths = sorted((inbox / "generic/crm").glob("contacts-*.csv"))
    frames = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths]
    contacts = pd.concat(frames, ignore_index=True)
    return contacts.assign(email=contacts["email"].str.lower())


def story(key: str) -> Story:
    return next(story for story in STORIES if story.key == key)


def digests(directory: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(directory)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def offers(world: World) -> pd.DataFrame:
    """One row per send of the shop offers: what became of it by the last export."""
    rows = []
    for send, mails in world.mailings:
        if send.stream == SHOP_OFFERS:
            delivered = int((mails["delivered_at"] < NEVER).sum())
            rows.append(
                {
                    "campaign_id": send.campaign_id,
                    "day": send.day,
                    "delivered": delivered,
                    "opened": int((mails["opened_at"] <= world.end).sum()),
                    "left": int((mails["opted_out_at"] <= world.end).sum()),
                    "scanned": int(mails["is_scanned"].sum()),
                    "narrowed": int((mails["topic_opted_out_at"] <= world.end).sum()),
                }
            )
    return pd.DataFrame(rows).set_index("campaign_id")


def others(totals: pd.DataFrame, mail_list: str) -> pd.DataFrame:
    """The campaigns of a list that no story is about."""
    planted = {campaign for story in STORIES for campaign in story.campaign_ids}
    return totals[(totals["list"] == mail_list) & ~totals.index.isin(planted)]


# The same bytes every time.


def test_the_same_seed_writes_the_same_bytes_and_times(
    inbox: Path, tmp_path: Path
) -> None:
    write_demo(tmp_path, scale=SMALL)
    assert digests(tmp_path) == digests(inbox)


def test_another_seed_is_another_year(world: World) -> None:
    other = draw_year(seed=8)
    assert len(other.people) == len(world.people)
    assert not np.array_equal(other.people.address, world.people.address)
    assert not np.array_equal(other.suppressed_at, world.suppressed_at)


def test_another_last_day_moves_the_year(tmp_path: Path) -> None:
    summary = write_demo(tmp_path, today=date(2027, 3, 15), scale=0.02)
    assert (tmp_path / "generic/crm/contacts-newsletter-2026-03-16.csv").is_file()
    assert (tmp_path / "mailchimp/newsletter/campaigns-2027-03-15.csv").is_file()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert set(summary.files) == set(files)
    assert summary.file_count == len(files)


# Every story is in the drawn numbers.


def test_wrong_segment_is_one_isolated_spike(totals: pd.DataFrame) -> None:
    (campaign_id,) = story("wrong_segment").campaign_ids
    usual = others(totals, "Newsletter")["rate"].median()
    newsletters = totals[totals["list"] == "Newsletter"]
    after = newsletters.iloc[newsletters.index.get_loc(campaign_id) + 1 :]
    assert totals.loc[campaign_id, "rate"] > 4 * usual
    assert len(after) >= 3
    assert after["rate"].max() < 2.5 * usual


def test_doubled_frequency_climbs_while_opens_fall(world: World) -> None:
    sends = offers(world)
    climb = sends.loc[list(story("frequency_doubled").campaign_ids)]
    before = sends[sends["day"] < climb["day"].min()]
    assert len(climb) == 26
    assert before["day"].diff().median() == 7
    assert climb["day"].diff().mean() < 4
    # The last two sends are too young to have met all of their opt-outs.
    thirds = [climb.iloc[:8], climb.iloc[8:16], climb.iloc[16:24]]
    left = [part["left"].sum() / part["delivered"].sum() for part in thirds]
    opened = [part["opened"].sum() / part["delivered"].sum() for part in thirds]
    assert left[0] < left[1] < left[2]
    assert left[2] > 2 * before["left"].sum() / before["delivered"].sum()
    assert opened[0] > opened[1] > opened[2]


def test_a_gap_is_followed_by_a_high_send_that_recovers(totals: pd.DataFrame) -> None:
    first, second, third = story("gap").campaign_ids
    usual = others(totals, "Product news")["rate"].median()
    sent_at = totals.loc[totals["list"] == "Product news", "sent_at"]
    gap = sent_at.diff()[first]
    assert gap.days == 70  # the ten weeks of the story's title
    assert totals.loc[first, "rate"] > 2 * usual
    assert totals.loc[third, "rate"] < 2 * usual
    assert sent_at.diff()[[second, third]].max().days < 30


def test_the_bought_list_bounces_complains_and_validates_badly(
    world: World, totals: pd.DataFrame
) -> None:
    first, offer, second = story("bought_list").campaign_ids
    usual = others(totals, "Newsletter")
    assert totals.loc[first, "hard_bounces"] > 5 * usual["hard_bounces"].median()
    pair = totals.loc[[first, second]]
    assert pair["complaints"].sum() / pair["delivered"].sum() > 0.001
    assert totals.loc[first, "rate"] > 1.5 * usual["rate"].median()
    bounced = {
        send.campaign_id: (mails["outcome"] == "hard").sum()
        for send, mails in world.mailings
        if send.stream == SHOP_OFFERS
    }
    assert bounced[offer] > 5 * np.median(list(bounced.values()))
    is_bought = world.people.cohort[world.verdicts["person"]] == "bought"
    is_bad = world.verdicts["validation_reason"].isin((*REMOVED_KINDS, "role"))
    assert is_bad[is_bought].mean() > 3 * is_bad[~is_bought].mean()
    traps = world.verdicts["validation_reason"] == "spamtrap"
    assert traps[is_bought].sum() > traps[~is_bought].sum()


def test_one_invitation_went_to_an_unusual_audience(world: World, inbox: Path) -> None:
    (campaign_id,) = story("unusual_audience").campaign_ids
    lines = (inbox / "generic/crm/store-events.ndjson").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    audiences = {row["campaign_id"]: row["audience"] for row in rows}
    unusual = audiences.pop(campaign_id)
    assert len(set(audiences.values()) - {unusual}) == len(set(audiences.values())) == 1

    sends = campaign_totals(world, "generic/crm", world.end).set_index("campaign_id")
    (untold,) = story("unknown_delivered").campaign_ids
    rates = (sends["unsubscribes"] / sends["delivered"]).drop(untold)
    position = rates.index.get_loc(campaign_id)
    assert position >= 12
    assert len(rates) - position > 3
    usual = sends["delivered"].drop(campaign_id).max()
    assert sends.loc[campaign_id, "delivered"] > 2.2 * usual
    assert rates[campaign_id] > 2 * rates.iloc[:position].median()
    assert rates.iloc[position + 1 :].max() < rates[campaign_id]


def test_one_campaign_contradicts_itself(inbox: Path) -> None:
    (campaign_id,) = story("contradictory_totals").campaign_ids
    newest = max((inbox / "mailchimp/newsletter").iterdir())
    broken = set()
    for row in csv.DictReader(newest.open(encoding="utf-8", newline="")):
        found = int(row["Successful Deliveries"]) + int(row["Total Bounces"])
        if found != int(row["Total Recipients"]):
            broken.add(row["Unique Id"])
            assert found > int(row["Total Recipients"])
    assert broken == {campaign_id}


def test_one_campaign_never_says_how_many_arrived(inbox: Path) -> None:
    lines = (inbox / "generic/crm/store-events.ndjson").read_text().splitlines()
    rows = {row["campaign_id"]: row for row in map(json.loads, lines)}
    silent = {name for name, row in rows.items() if "delivered" not in row}
    assert silent == set(story("unknown_delivered").campaign_ids)
    assert not {"hard_bounces", "soft_bounces"} & rows[silent.pop()].keys()


def test_the_last_newsletter_is_two_days_old_and_restated(world: World) -> None:
    (campaign_id,) = story("provisional").campaign_ids
    newest = campaign_totals(world, MAILCHIMP, world.end)
    before = campaign_totals(world, MAILCHIMP, world.end - 36 * HOUR)
    now, then = (
        frame.set_index("campaign_id").loc[campaign_id] for frame in (newest, before)
    )
    assert (pd.Timestamp(world.end, unit="ms") - now["sent_at"]).days == 2
    assert now["unsubscribes"] > then["unsubscribes"]


def test_a_misleading_subject_is_opened_and_left(totals: pd.DataFrame) -> None:
    (campaign_id,) = story("misleading_subject").campaign_ids
    usual = others(totals, "Newsletter").median(numeric_only=True)
    sent = totals.loc[campaign_id]
    assert sent["open_rate"] > 1.1 * usual["open_rate"]
    assert sent["click_to_open"] < 0.6 * usual["click_to_open"]
    assert sent["rate"] > 2 * usual["rate"]


def test_newsletters_that_only_sell_lose_more_with_each(totals: pd.DataFrame) -> None:
    run = totals.loc[list(story("promotions_in_a_row").campaign_ids)]
    usual = others(totals, "Newsletter")["rate"].iloc[13:].median()
    assert len(run) == 8
    assert run["subject"].str.contains("% off").all()
    thirds = [
        part["rate"].mean() for part in (run.iloc[:3], run.iloc[3:6], run.iloc[6:])
    ]
    assert usual / 2 < thirds[0] < thirds[1] < thirds[2]
    assert thirds[2] > 1.5 * usual
    newsletters = totals[totals["list"] == "Newsletter"]
    after = newsletters.iloc[newsletters.index.get_loc(run.index[-1]) + 1 :]
    assert after["rate"].iloc[:3].mean() < 1.3 * usual


def test_fewer_leave_once_they_can_choose_topics(
    world: World, totals: pd.DataFrame
) -> None:
    launch = pd.Timestamp(world.moment(PREFERENCE_CENTRE_DAY), unit="ms")
    usual = others(totals, "Newsletter")
    days = (usual["sent_at"] - launch).dt.days
    before, after = usual[days.between(-91, -1)], usual[days.between(0, 90)]
    assert min(len(before), len(after)) > 8
    left = [
        part["unsubscribes"].sum() / part["delivered"].sum() for part in (before, after)
    ]
    assert left[1] < 0.65 * left[0]


def test_a_quarter_of_the_contacts_leaves_for_every_cause(world: World) -> None:
    spells, left = world.spells, world.spells.left_at
    gone_at = np.minimum(left, spells.vanishes_at)
    moments = [world.start, *world.month_starts(), world.end]
    staying, removed = 1.0, []
    for first, last in pairwise(moments):
        is_there = (spells.mailable_at <= first) & (gone_at > first)
        staying *= 1 - (is_there & (gone_at <= last)).sum() / is_there.sum()
        is_removed = spells.cause == "validation_removal"
        removed.append((is_removed & (left > first) & (left <= last)).sum())
    # 1 - the product of twelve monthly survivals.
    assert 0.24 < 1 - staying < 0.32
    assert np.flatnonzero(removed).tolist() == [8]
    causes = set(spells.cause[left <= world.end])
    assert causes == set(STATUSES) - {""}


def test_people_drop_topics_instead_of_leaving(world: World) -> None:
    events = preference_events(world)
    topics = events[events["opt_out_scope"] == "topic"]
    assert (topics["event_type"] == "unsubscribed").sum() > 50
    assert set(topics["opt_out_scope_id"]) <= set(TOPICS)
    assert events["occurred_at"].is_monotonic_increasing
    assert events["event_id"].is_unique
    assert set(events["initiator"]) == {"recipient", "sender"}
    assert offers(world)["narrowed"].sum() > 10


def test_scanners_opt_people_out_within_seconds(world: World) -> None:
    sends = offers(world)
    scanned = set(sends.index[sends["scanned"] > 0])
    assert scanned == set(story("scanners").campaign_ids)
    for send, mails in world.mailings:
        if send.campaign_id in scanned:
            wait = mails["opted_out_at"] - mails["delivered_at"]
            seconds = wait[mails["is_scanned"]] / SECOND
            assert ((seconds >= 2) & (seconds <= 6)).all()


def test_some_come_back(world: World) -> None:
    spells = world.spells
    assert len(world.returns) > 20
    for old, new in world.returns:
        assert spells.person[old] == spells.person[new]
        assert spells.mail_list[old] == spells.mail_list[new]
        assert spells.left_at[old] < spells.joined_at[new] <= world.end


# A home gets what the company knows, once.


def test_the_rules_of_the_company_name_what_its_campaigns_are_about(
    totals: pd.DataFrame, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    write_configuration(home, date(2026, 10, 31))
    account = load_accounts(home.config).of("mailchimp", "newsletter")

    def category(campaign: Any) -> str:
        texts = {"name": campaign.campaign_name, "subject": campaign.subject}
        return next(
            rule.category
            for rule in account.content_categories
            if all(
                re.search(pattern, texts[text], re.IGNORECASE)
                for text, pattern in rule.patterns.items()
            )
        )

    about = pd.Series({row.Index: category(row) for row in totals.itertuples()})
    newsletters = about[totals["list"] == "Newsletter"]
    assert set(about[totals["list"] == "Product news"]) == {"product"}
    assert newsletters.index[newsletters == "trade"].tolist() == list(
        story("wrong_segment").campaign_ids
    )
    runs = "".join("p" if word == "promotion" else "e" for word in newsletters)
    assert "p" * 8 in runs
    assert re.fullmatch("(e+p)+e*", runs.replace("p" * 8, "p"))


def test_a_home_keeps_its_own_configuration(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.config.mkdir(parents=True)
    (home.config / "accounts.yaml").write_text("accounts: {}\n")
    summary = write_demo(
        tmp_path / "inbox", today=date(2027, 3, 15), scale=0.02, home=home
    )
    assert summary.configuration == (home.config / "changes.yaml",)
    assert (home.config / "accounts.yaml").read_text() == "accounts: {}\n"
    # The year began on 2026-03-16: 92 and 276 days before these.
    dates = re.findall(r"date: (\S+)", summary.configuration[0].read_text())
    assert dates == ["2026-06-16", "2026-12-17"]


def test_a_home_in_which_something_landed_is_left_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    package = home.landing / "load=0000000001"
    package.mkdir(parents=True)
    (package / "load.json").touch()
    assert write_configuration(home, date(2026, 10, 31)) == ()
    assert not home.config.exists()


# The files are what the vendors write.


def test_campaign_exports_have_the_vendors_header_and_spellings(inbox: Path) -> None:
    paths = sorted((inbox / "mailchimp/newsletter").iterdir())
    assert len(paths) == 14
    rows = list(csv.reader(paths[-1].open(encoding="utf-8", newline="")))
    assert len(rows[0]) == 40
    assert {len(row) for row in rows} == {40}
    for row in map(dict, (zip(rows[0], values, strict=True) for values in rows[1:])):
        # Read by hand: names of months and halves of the day depend on the locale.
        assert re.fullmatch(
            r"[A-Z][a-z]{2} \d\d, \d{4} \d\d:\d\d [ap]m", row["Send Date"]
        )
        assert re.fullmatch(r"\d+\.\d\d%", row["Open Rate"])
        assert re.fullmatch(r"[0-9a-f]{10}", row["Unique Id"])
        assert row["Bounce Rate"] == "n/a"
    assert len({tuple(row)[22] for row in rows[1:]}) == len(rows) - 1


def test_campaign_exports_are_cumulative(inbox: Path) -> None:
    seen: set[str] = set()
    for path in sorted((inbox / "mailchimp/newsletter").iterdir()):
        rows = csv.DictReader(path.open(encoding="utf-8", newline=""))
        ids = {row["Unique Id"] for row in rows}
        assert seen <= ids
        seen = ids


def test_mail_records_have_every_shape(records: list[dict[str, Any]]) -> None:
    kinds = Counter(record["eventType"] for record in records)
    assert set(kinds) == {
        "Send",
        "Delivery",
        "DeliveryDelay",
        "Bounce",
        "Complaint",
        "Open",
        "Click",
        "Subscription",
        "Rendering Failure",
    } | (kinds.keys() & {"Reject"})
    for record in records:
        assert len(record) == 3
        assert set(record["mail"]["tags"]) >= {"ses:configuration-set", "send_type"}
        assert record["mail"]["timestamp"].endswith("Z")
    addressed = Counter(len(record["mail"]["destination"]) for record in records)
    assert set(addressed) == {1, 2}
    flows = Counter(record["mail"]["tags"]["send_type"][0] for record in records)
    assert set(flows) == {"campaign", "flow", "transactional"}


def test_about_one_and_a_half_percent_of_records_come_twice(
    records: list[dict[str, Any]],
) -> None:
    lines = Counter(json.dumps(record) for record in records)
    repeated = sum(count - 1 for count in lines.values())
    # 0.0148 of what was sent on is the second copy of 1.5 % of it.
    assert 0.012 < repeated / len(records) < 0.018


def test_a_subscription_says_what_it_was_and_what_it_is(
    records: list[dict[str, Any]],
) -> None:
    changes = [r["subscription"] for r in records if r["eventType"] == "Subscription"]
    old = [change["oldTopicPreferences"] for change in changes]
    new = [change["newTopicPreferences"] for change in changes]
    pairs = list(zip(old, new, strict=True))
    assert any(
        not was["unsubscribeAll"] and now["unsubscribeAll"] for was, now in pairs
    )
    assert any(
        was["topicSubscriptionStatus"] != now["topicSubscriptionStatus"]
        for was, now in pairs
    )


def test_verdict_files_have_the_vendors_shape(inbox: Path) -> None:
    (bulk,) = (inbox / "zerobounce").glob("*.csv")
    text = bulk.read_text(encoding="utf-8")
    assert all(cell[0] == cell[-1] == '"' for cell in text.splitlines())
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {"valid", "invalid", "do_not_mail"} <= {row["ZB Status"] for row in rows}
    (batch,) = (inbox / "zerobounce").glob("*.json")
    document = json.loads(batch.read_text(encoding="utf-8"))
    assert document["errors"] == []
    assert len(document["email_batch"]) == 40
    processed = document["email_batch"][0]["processed_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", processed)


def test_no_address_can_be_anybodys(
    contacts: pd.DataFrame, records: list[dict[str, Any]]
) -> None:
    addresses = set(contacts["email"])
    for record in records:
        addresses.update(record["mail"]["destination"])
    reserved = re.compile(r"[a-z0-9.]+@([a-z0-9]+\.)*example\.(com|org|net)")
    assert all(reserved.fullmatch(address) for address in addresses)


def test_a_files_own_time_is_the_time_of_its_export(inbox: Path) -> None:
    for path in (inbox / "generic/crm").glob("contacts-*.csv"):
        with path.open(encoding="utf-8", newline="") as handle:
            exported_at = next(csv.DictReader(handle))["exported_at"]
        said = datetime.strptime(exported_at, "%Y-%m-%dT%H:%M:%S.%fZ")
        assert path.stat().st_mtime == said.replace(tzinfo=UTC).timestamp()


# The people of all files are the same people.


def opt_outs(records: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {
        (record["mail"]["destination"][0], record["subscription"]["timestamp"])
        for record in records
        if record["eventType"] == "Subscription"
        and record["subscription"]["newTopicPreferences"]["unsubscribeAll"]
        and not record["subscription"]["oldTopicPreferences"]["unsubscribeAll"]
    }


def changes(contacts: pd.DataFrame, status: str) -> set[tuple[str, str]]:
    is_offer = contacts["list"] == "Shop offers"
    rows = contacts[is_offer & (contacts["status"] == status)]
    return set(zip(rows["email"], rows["status_changed_at"], strict=True))


def test_opt_outs_of_records_are_in_the_contact_list(
    records: list[dict[str, Any]], contacts: pd.DataFrame
) -> None:
    told, listed = opt_outs(records), changes(contacts, "unsubscribed")
    assert len(told) > 20
    # Whoever left and came back within a month shows in no monthly snapshot as gone.
    is_back = (contacts["list"] == "Shop offers") & (contacts["status"] == "subscribed")
    is_back &= contacts["status_changed_at"] != ""
    returned = set(contacts.loc[is_back, "email"])
    assert {who for who, _ in told - listed} <= returned
    assert listed <= told


def test_bounces_and_complaints_of_records_are_in_the_contact_list(
    records: list[dict[str, Any]], contacts: pd.DataFrame
) -> None:
    bounced, complained = set(), set()
    for record in records:
        if record["eventType"] == "Bounce":
            at = record["bounce"]["timestamp"]
            hard = record["bounce"]["bounceType"] == "Permanent"
            names = [
                who["emailAddress"] for who in record["bounce"]["bouncedRecipients"]
            ]
            bounced |= {(name, at) for name in names if hard}
        if record["eventType"] == "Complaint":
            at = record["complaint"]["timestamp"]
            (who,) = record["complaint"]["complainedRecipients"]
            complained.add((who["emailAddress"], at))
    assert changes(contacts, "bounced")
    assert changes(contacts, "bounced") <= bounced
    assert changes(contacts, "complained") <= complained
    left_first = {who for who, _ in opt_outs(records)}
    assert {who for who, _ in complained} <= left_first | {
        who for who, _ in changes(contacts, "complained")
    }


def test_only_the_old_copy_of_the_list_reaches_people_who_left(
    records: list[dict[str, Any]],
) -> None:
    (old_copy,) = story("mail_after_opt_out").campaign_ids
    mailed_late = []
    left_at = dict(opt_outs(records))
    returned = {
        record["mail"]["destination"][0]
        for record in records
        if record["eventType"] == "Subscription"
        and record["subscription"]["oldTopicPreferences"]["unsubscribeAll"]
    }
    for record in records:
        who, mail = record["mail"]["destination"][0], record["mail"]
        is_offer = mail["tags"]["send_type"] == ["campaign"]
        is_late = mail["timestamp"] >= left_at.get(who, "9999")
        if record["eventType"] == "Send" and is_offer and who not in returned:
            mailed_late += mail["tags"]["campaign"] if is_late else []
    assert set(mailed_late) == {old_copy}


def test_unsubscribes_of_totals_are_people_of_the_contact_list(
    inbox: Path, contacts: pd.DataFrame
) -> None:
    newest = max((inbox / "mailchimp/newsletter").iterdir())
    rows = csv.DictReader(newest.open(encoding="utf-8", newline=""))
    counted = {row["Unique Id"]: int(row["Unsubscribes"]) for row in rows}
    people = contacts.drop_duplicates(["email", "list", "opt_out_campaign_id"])
    listed = people.groupby("opt_out_campaign_id").size()
    assert sum(counted.values()) > 50
    for campaign_id, count in counted.items():
        assert listed.get(campaign_id, 0) <= count
    found = sum(listed.get(campaign_id, 0) for campaign_id in counted)
    assert found > 0.9 * sum(counted.values())


def test_verdicts_are_about_people_of_the_lists(
    inbox: Path, contacts: pd.DataFrame
) -> None:
    (bulk,) = (inbox / "zerobounce").glob("*.csv")
    verdicts = pd.read_csv(bulk, dtype=str, keep_default_na=False)
    assert set(verdicts["Email Address"]) <= set(contacts["email"])
    removed = contacts[contacts["exit_cause"] == "validation_removal"]
    bad = verdicts[verdicts["ZB Status"] != "valid"]
    assert len(removed) > 0
    assert set(removed["email"]) <= set(bad["Email Address"])


def test_contact_rows_use_canonical_words(contacts: pd.DataFrame) -> None:
    statuses = {"subscribed", "pending", "unsubscribed", "bounced", "complained"}
    assert set(contacts["status"]) == statuses | {"suppressed", "archived"}
    causes = {"", "validation_removal", "sunset", "deleted"}
    assert set(contacts["exit_cause"]) == causes
    assert set(contacts["snapshot_scope"]) == {"full"}
    keys = ["list", "exported_at", "email"]
    assert not contacts.duplicated(keys).any()
