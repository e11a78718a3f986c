"""The demo year through the whole pipeline: every planted story is told by the marts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dagster_project.demo import STORIES, write_demo
from dagster_project.demo.reasons import OWN_WORDS
from dagster_project.demo.stories import SHOP_OFFERS, campaign_ids
from dagster_project.settings import Home
from tests.integration.pipeline import Deployment

pytestmark = pytest.mark.slow

# Two hours after the year's last export.
NOW = "2026-10-31T20:00:00Z"
STORY = {story.key: story for story in STORIES}
NEWSLETTER_STREAM = "mailchimp/newsletter/Newsletter"
README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    deployment = Deployment(tmp_path_factory.mktemp("demo_year"))
    write_demo(deployment.inbox, home=Home(deployment.home))
    return deployment


@pytest.fixture(scope="module")
def screen(deployment: Deployment) -> str:
    done = deployment.call("run", "--now", NOW)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _sends(deployment: Deployment, key: str) -> list[dict[str, object]]:
    story = STORY[key]
    listed = ", ".join(f"'{name}'" for name in story.campaign_ids)
    rows = deployment.query(
        "select * from main.campaign_unsubscribe_rates"
        f" where campaign_id in ({listed})"
        " order by sent_at"
    )
    assert len(rows) == len(story.campaign_ids)
    return rows


def test_every_file_lands_and_nothing_is_rejected(
    deployment: Deployment, screen: str
) -> None:
    (row,) = deployment.query(
        "select count(*) filter (state <> 'loaded') as unloaded,"
        " sum(rejected_count) as rejected from main.load_ledger"
    )
    assert row == {"unloaded": 0, "rejected": 0}


def test_the_wrong_segment_heads_the_closing_table(
    deployment: Deployment, screen: str
) -> None:
    (row,) = _sends(deployment, "wrong_segment")
    assert row["observed_band"] == "critical"
    assert row["unsubscribe_rate_pct"] > 3 * row["baseline_rate_pct"]
    table = screen[screen.index("expected %") :]
    first = next(line for line in table.splitlines() if "critical" in line)
    assert str(row["campaign_name"]) in first


def _findings(deployment: Deployment, *names: object) -> list[dict[str, object]]:
    """What is said of these campaigns, or of these streams."""
    listed = ", ".join(f"'{name}'" for name in names)
    return deployment.query(
        "select finding, confidence, evidence from main.campaign_diagnoses"
        f" where coalesce(campaign_id, stream_id) in ({listed}) order by rank"
    )


def test_the_wrong_segment_is_one_isolated_spike_of_an_unusual_content(
    deployment: Deployment, screen: str
) -> None:
    (row,) = _sends(deployment, "wrong_segment")
    assert (row["spike_status"], row["confirmed_band"]) == ("strong", "critical")
    assert row["excess_low_count"] > 0
    (found,) = _findings(deployment, row["campaign_id"])
    assert (found["finding"], found["confidence"]) == (
        "unusual_content",
        "confirmed",
    )
    (trend,) = deployment.query(
        f"select shape from main.stream_trends where stream_id = '{row['stream_id']}'"
    )
    assert trend == {"shape": "isolated_spike"}


def test_the_doubled_frequency_is_a_climb_and_people_tire(
    deployment: Deployment, screen: str
) -> None:
    rows = _sends(deployment, "frequency_doubled")
    (trend,) = deployment.query(
        "select shape, persistent_band, open_direction, click_direction,"
        " shape_started_at"
        f" from main.stream_trends where stream_id = '{rows[0]['stream_id']}'"
    )
    since = trend.pop("shape_started_at")
    assert trend == {
        "shape": "climb",
        "persistent_band": "critical",
        "open_direction": "falling",
        "click_direction": "falling",
    }
    assert rows[0]["sent_at"] <= since < rows[len(rows) // 2]["sent_at"]
    (newest,) = deployment.query(
        "select is_cusum_alarm, drift_status from main.unsubscribe_rate_trends"
        f" where stream_id = '{rows[0]['stream_id']}' order by sent_at desc limit 1"
    )
    assert newest == {"is_cusum_alarm": True, "drift_status": "alert"}
    tired = _findings(deployment, rows[0]["stream_id"])
    assert {found["finding"]: found["confidence"] for found in tired} == {
        "fatigue": "confirmed",
        "persistently_high": "confirmed",
        # The bought contacts were new on the list when its offers reached them.
        "mismatched_intent": "probable",
    }
    assert "Rising: shop-offers" in screen


def test_the_first_send_after_the_gap_is_high_as_gaps_are_and_the_next_ones_recover(
    deployment: Deployment, screen: str
) -> None:
    after, second, third = _sends(deployment, "gap")
    assert after["days_since_previous_send"] >= 60
    assert after["is_post_gap"]
    assert not second["is_post_gap"]
    assert after["unsubscribe_rate_pct"] > 2 * after["baseline_rate_pct"]
    assert after["expected_rate_pct"] == pytest.approx(2 * after["baseline_rate_pct"])
    assert (after["grade_context"], after["spike_status"]) == (
        "post_gap_expected",
        "none",
    )
    assert max(second["spike_z"], third["spike_z"]) < 2
    (found,) = _findings(deployment, *(row["campaign_id"] for row in (after, second)))
    assert (found["finding"], found["confidence"]) == ("gap", "confirmed")


def test_the_unusual_audience_is_named_before_the_content(
    deployment: Deployment, screen: str
) -> None:
    (row,) = _sends(deployment, "unusual_audience")
    assert row["spike_status"] == "strong"
    (found,) = _findings(deployment, row["campaign_id"])
    assert (found["finding"], found["confidence"]) == ("unusual_audience", "confirmed")


def test_nothing_but_the_stories_is_confirmed(
    deployment: Deployment, screen: str
) -> None:
    spikes = ("wrong_segment", "unusual_audience", "misleading_subject")
    planted = {
        name
        for key in (*spikes, "gap", "bought_list", "promotions_in_a_row")
        for name in STORY[key].campaign_ids
    }
    tired = {str(row["stream_id"]) for row in _sends(deployment, "frequency_doubled")}
    confirmed = deployment.query(
        "select distinct coalesce(campaign_id, stream_id) as told"
        " from main.campaign_diagnoses where confidence = 'confirmed'"
    )
    assert {str(row["told"]) for row in confirmed} <= planted | tired
    alarms = deployment.query(
        "select campaign_id from main.campaign_unsubscribe_rates"
        " where spike_status in ('alert', 'strong')"
    )
    assert {row["campaign_id"] for row in alarms} == {
        name for key in spikes for name in STORY[key].campaign_ids
    }


def test_every_unusual_send_is_planted_and_every_planted_one_is_unusual(
    deployment: Deployment, screen: str
) -> None:
    (context,) = deployment.query(
        "select list(campaign_id order by sent_at) as sends,"
        " list(campaign_id order by sent_at) filter (where is_unusual_audience)"
        " as audience,"
        " list(campaign_id order by sent_at) filter (where is_new_audience)"
        " as new_audience,"
        " list(campaign_id order by sent_at) filter (where is_many_new_contacts)"
        " as newcomers,"
        " list(campaign_id order by sent_at) filter (where is_post_gap) as gap,"
        " list(campaign_id order by sent_at) filter (where is_frequency_up)"
        " as frequency,"
        " list(campaign_id order by sent_at) filter (where is_unusual_category)"
        " as category,"
        " list(campaign_id order by sent_at) filter (where is_promotional_run)"
        " as promotions,"
        " list(campaign_id order by sent_at) filter (where is_unusual_send_time)"
        " as weekday"
        " from main.send_context where unusual is not null"
    )
    planted = {key: list(story.campaign_ids) for key, story in STORY.items()}
    climb = planted["frequency_doubled"]
    assert context["audience"] == context["new_audience"] == planted["unusual_audience"]
    assert context["category"] == planted["wrong_segment"]
    assert context["gap"] == planted["gap"][:1]
    # Two promotions in a row happen; the third shows that nothing else is coming.
    assert context["promotions"] == planted["promotions_in_a_row"][2:]
    # From the sixth send in 28 days on, until the weeks before have as many.
    assert context["frequency"] == climb[2:10]
    # The second day of the week is a habit after two weeks.
    assert context["weekday"] == [climb[0], climb[2]]
    # For 30 days the bought contacts are new on the list.
    newcomers = campaign_ids(SHOP_OFFERS, *range(146, 173, 7))
    assert context["newcomers"] == list(newcomers)
    flagged = (context[kind] for kind in context if kind != "sends")
    assert set(context["sends"]) == {name for kind in flagged for name in kind}


def test_promotions_in_a_row_cost_more_than_the_first(
    deployment: Deployment, screen: str
) -> None:
    runs = deployment.query(
        "select run_bucket, send_count, unsubscribe_rate_pct from main.promotional_runs"
        f" where stream_id = '{NEWSLETTER_STREAM}' order by run_bucket"
    )
    none, first, second, third, more = runs
    assert (second["send_count"], third["send_count"], more["send_count"]) == (1, 1, 5)
    assert more["unsubscribe_rate_pct"] > 1.2 * first["unsubscribe_rate_pct"]
    assert more["unsubscribe_rate_pct"] > 1.2 * none["unsubscribe_rate_pct"]


def test_the_preference_centre_worked_and_the_doubled_frequency_backfired(
    deployment: Deployment, screen: str
) -> None:
    effects = deployment.query(
        "select * from main.intervention_effects order by changed_at"
    )
    told = [(row["kind"], row["stream_id"], row["verdict"]) for row in effects]
    assert told == [
        ("preference_center", NEWSLETTER_STREAM, "worked"),
        ("frequency", "amazon_ses/shop/shop-offers", "backfired"),
    ]
    centre, frequency = effects
    # Planted: half as many (1 / 2.0), where the claim is 20 to 30 % fewer.
    assert centre["effect_low_pct"] < -50 < centre["effect_high_pct"] < 0
    assert (centre["claim_low_pct"], centre["claim_high_pct"]) == (-30, -20)
    assert centre["method"] == frequency["method"] == "difference_in_differences"
    assert (centre["control_streams"], centre["is_open"]) == ("shop-offers", False)
    # 2026-02-01 and 91 days.
    assert str(centre["after_until_at"]) == "2026-05-03 00:00:00"
    # Nobody said whom to compare with: the newsletter is what runs beside it.
    assert (frequency["control_streams"], frequency["is_open"]) == ("Newsletter", True)
    # Twice as many sends, each of which loses about 2.3 times as many.
    assert frequency["effect_low_pct"] > 50
    told_first = screen[: screen.index("Sends that cost most")]
    assert "Week of 2026-10-26, amazon_ses/shop: " in told_first
    assert "Preference centre (Newsletter, since 2026-02-01) worked: " in told_first


def test_every_double_of_every_mart_is_a_number_or_nothing(
    deployment: Deployment, screen: str
) -> None:
    columns = deployment.query(
        "select table_name, column_name from duckdb_columns()"
        " where schema_name = 'main' and data_type = 'DOUBLE'"
    )
    assert len(columns) > 100
    counted = " union all ".join(
        f"select '{row['table_name']}.{row['column_name']}' as place,"
        f" count(*) filter (where not isfinite({row['column_name']})) as strange"
        f" from main.{row['table_name']}"
        for row in columns
    )
    assert deployment.query(f"select place from ({counted}) where strange > 0") == []


def test_the_bought_list_bounces_and_complains(
    deployment: Deployment, screen: str
) -> None:
    rows = _sends(deployment, "bought_list")
    assert all(row["is_complaint_red_flag"] for row in rows)
    newsletter, offer, _ = rows
    assert newsletter["is_complaint_confirmed"]
    assert offer["is_complaint_confirmed"]
    assert newsletter["hard_bounce_count"] > 50
    found = {
        row["finding"]: row["confidence"]
        for row in _findings(deployment, newsletter["campaign_id"])
    }
    assert found == {"list_quality": "confirmed", "complaints_above_limit": "confirmed"}


def test_totals_that_contradict_themselves_are_excluded_in_the_open(
    deployment: Deployment, screen: str
) -> None:
    (row,) = _sends(deployment, "contradictory_totals")
    assert row["is_excluded"]
    assert row["unsubscribe_rate_pct"] is None
    assert row["observed_band"] is None
    audit = deployment.query(
        "select check_name from main.denominator_audit where verdict = 'broken'"
        f" and campaign_id = '{row['campaign_id']}'"
    )
    assert {"check_name": "delivered_not_above_sent"} in audit
    assert "together are not the mail that was sent" in screen


def test_an_unknown_delivered_count_gives_no_rate(
    deployment: Deployment, screen: str
) -> None:
    (row,) = _sends(deployment, "unknown_delivered")
    assert row["delivered_count_basis"] == "unavailable"
    assert row["delivered_count"] is None
    assert row["exclusion_reason"] == "delivered_count_is_known"
    assert row["unsubscribe_rate_pct"] is None
    assert row["unsubscribe_count"] > 0


def test_no_healthy_send_is_excluded(deployment: Deployment, screen: str) -> None:
    (row,) = deployment.query(
        "select count(*) as sends from main.campaign_unsubscribe_rates"
        " where is_excluded"
    )
    assert row["sends"] == 2  # the two planted ones above


def test_the_newest_send_is_provisional(deployment: Deployment, screen: str) -> None:
    (row,) = _sends(deployment, "provisional")
    assert row["maturity"] == "provisional"


def test_the_misleading_subject_is_opened_and_not_clicked(
    deployment: Deployment, screen: str
) -> None:
    (row,) = _sends(deployment, "misleading_subject")
    (usual,) = deployment.query(
        "select median(click_to_open_pct) as clicked from main.campaign_unsubscribe_rates"
        f" where stream_id = '{row['stream_id']}'"
    )
    assert row["click_to_open_pct"] < usual["clicked"] / 2
    assert row["spike_status"] == "strong"
    # Its opens include machines, so that the clicks decide: they fell too.
    (found,) = _findings(deployment, row["campaign_id"])
    assert (found["finding"], found["confidence"]) == (
        "subject_promises_body_disappoints",
        "confirmed",
    )


def test_the_list_decays_by_its_causes(deployment: Deployment, screen: str) -> None:
    (row,) = deployment.query(
        "select 100 * (1 - product(1 - monthly_attrition_pct / 100)) as year,"
        " sum(lost_validation_count) as cleaned, sum(lost_sunset_count) as sunset,"
        " sum(lost_hard_bounce_count) as bounced, sum(lost_complaint_count) as complained"
        " from main.list_decay_monthly where list = '(all)'"
        " and month between date '2025-11-01' and date '2026-10-01'"
    )
    assert 18 < row["year"] < 32
    assert min(row["cleaned"], row["sunset"], row["bounced"], row["complained"]) > 0


def test_dropping_a_topic_stands_beside_the_rate(
    deployment: Deployment, screen: str
) -> None:
    (row,) = deployment.query(
        "select sum(topic_opt_out_count) as topics from main.campaign_unsubscribe_rates"
        " where source = 'amazon_ses'"
    )
    assert row["topics"] > 0


def test_scanners_are_suspected_on_the_sends_they_followed(
    deployment: Deployment, screen: str
) -> None:
    for row in _sends(deployment, "scanners"):
        assert row["suspect_automated_count"] > 0


def test_only_the_old_copy_of_the_list_reached_people_who_had_opted_out(
    deployment: Deployment, screen: str
) -> None:
    rows = deployment.query(
        "select campaign_id, rule_broken, mail_count from main.opt_out_latency"
    )
    (old_copy,) = STORY["mail_after_opt_out"].campaign_ids
    assert {row["campaign_id"] for row in rows} == {old_copy}
    assert {row["rule_broken"] for row in rows} == {"48_hours", "10_business_days"}
    assert all(row["mail_count"] > 3 for row in rows)
    assert screen.index("Not honoured: ") < screen.index("Sends that cost")


def test_the_bought_contacts_are_known_by_how_they_came_and_went(
    deployment: Deployment, screen: str
) -> None:
    sources = deployment.query(
        "select signup_source, opt_out_ratio_low, ninety_day_hard_bounce_rate_pct"
        " from main.signup_sources where is_suspected_bulk"
    )
    (bought,) = sources
    assert bought["signup_source"] == "import"
    assert bought["opt_out_ratio_low"] > 1
    assert bought["ninety_day_hard_bounce_rate_pct"] > 10
    stayed = {
        row["opt_in_method"]: row["survival_pct"]
        for row in deployment.query(
            "select opt_in_method, survival_pct from main.cohort_retention"
            " where is_all_months and list = '(all)' and signup_source = '(all)'"
            " and age_months = 6"
        )
    }
    assert stayed["purchased"] < min(stayed["single"], stayed["double"]) - 20


def test_more_offers_make_more_people_leave(
    deployment: Deployment, screen: str
) -> None:
    (row,) = deployment.query(
        "select verdict, effect_ratio_low, untold_campaign_count"
        " from main.send_frequency_effect where list = 'Shop offers'"
    )
    assert row["verdict"] == "more_leave"
    assert row["effect_ratio_low"] > 1
    # Newsletter, product news and store events are known by their totals alone.
    assert row["untold_campaign_count"] > 70


def test_every_list_and_every_reason_conserves(
    deployment: Deployment, screen: str
) -> None:
    months = deployment.query(
        "select contacts_at_start + added_count - lost_count as contacts_left,"
        " contacts_at_end, lead(contacts_at_start) over (partition by source, account,"
        " list order by month) as next_start from main.list_decay_monthly"
    )
    assert len(months) > 40
    for row in months:
        assert row["contacts_left"] == row["contacts_at_end"]
        assert row["next_start"] in (None, row["contacts_at_end"])
    periods = deployment.query(
        "select any_value(opt_out_count) as opt_outs, sum(reason_count) as reasons,"
        " min(reason_count) filter (where reason not in ('not_asked', 'suppressed'))"
        " as fewest from main.opt_out_reasons"
        " group by source, account, list, period_kind, period_start, campaign_id, variant"
    )
    assert len(periods) > 40
    for row in periods:
        assert row["opt_outs"] == row["reasons"]
        assert row["fewest"] is None or row["fewest"] >= 5


def test_nobodys_words_are_in_a_mart(deployment: Deployment, screen: str) -> None:
    written = {words.casefold() for each in OWN_WORDS.values() for words in each}
    cells = {
        cell.casefold()
        for rows in deployment.marts().values()
        for row in rows
        for cell in re.findall(r"'([^']*)'", row)
    }
    # A reader may happen to write what a reason is called.
    labels = deployment.query("select distinct reason_label from main.opt_out_reasons")
    called = {str(row["reason_label"]).casefold() for row in labels}
    assert len(cells) > 1000
    assert not (written - called) & cells
    assert not [cell for cell in cells if "@" in cell]


def test_opt_outs_conserve(deployment: Deployment, screen: str) -> None:
    rows = deployment.query("select is_conserved from main.opt_out_conservation")
    assert all(row["is_conserved"] for row in rows)


def test_the_readme_shows_what_the_run_prints(
    deployment: Deployment, screen: str
) -> None:
    block = re.search(r"```text\n(Files:.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert block is not None
    printed = {line.rstrip() for line in screen.splitlines()}
    for line in block[1].splitlines():
        if not line.startswith(("Report", "Marts")):
            assert line.rstrip() in printed
