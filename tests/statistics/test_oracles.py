"""Every shipped statistic against vectors that were reckoned outside of the warehouse.

The same tests run on the vectors of ``reference.py`` and, where this machine has it
beside the clone, on a larger collection of the same form.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks.shipped import Shipped, World
from dagster_project.settings import PROJECT_ROOT
from tests.statistics.reference import write_vectors

COLLECTION = PROJECT_ROOT.parent / "shared" / "oracles"

RELATIVE = {"rel_tol": 1e-6, "abs_tol": 1e-12}
TAIL = {"rel_tol": 0.0, "abs_tol": 1e-8}
EDGES = {"002": "0.002e0", "005": "0.005e0", "010": "0.010e0"}


@pytest.fixture(scope="module", params=["own", "collection"])
def folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    if request.param == "own":
        made = tmp_path_factory.mktemp("vectors")
        write_vectors(made)
        return made
    if not COLLECTION.is_dir():
        pytest.skip("the larger collection is not beside this clone")
    return COLLECTION


@pytest.fixture
def load(folder: Path, world: World) -> Callable[[str], None]:
    """Make a file of vectors a table of its name, its rows numbered by ``vector``."""

    def read(name: str) -> None:
        world.connection.execute(
            f"create temp table {name} as select row_number() over () as vector, *"
            f" from read_csv('{folder / name}.csv')"
        )

    return read


Load = Callable[[str], None]


def assert_agree(
    world: World, source: str, tolerance: Mapping[str, float], **expected: str
) -> None:
    """Each expression of SQL, named by the vector's column, gives what it says.

    NULL agrees with NULL only, and what is no number with nothing.
    """
    rows = world.rows(
        f"select * from (select *, {_listed(expected, 'found_')} from {source})"
    )
    assert rows
    for row in rows:
        for name in expected:
            found, vector = row[f"found_{name}"], row[name]
            if vector is None:
                assert found is None, (name, row)
                continue
            assert found is not None and math.isfinite(found), (name, row)
            assert math.isclose(found, vector, **tolerance), (name, row)


def _listed(expressions: Mapping[str, str], prefix: str) -> str:
    return ", ".join(f"{sql} as {prefix}{name}" for name, sql in expressions.items())


def fill_campaigns(world: World, query: str) -> None:
    """Fill fct_campaigns from stream, number, delivered and unsubscribes.

    A campaign a day, settled and sound, so that nothing but the counts decides. Further
    columns of the query are the model's own.
    """
    world.table(
        "fct_campaigns",
        f"""
        select
            stream || '/' || number as campaign_key,
            'generic' as source,
            'shop' as account,
            cast(stream as varchar) as stream_id,
            lpad(cast(number as varchar), 3, '0') as campaign_id,
            '' as variant,
            'campaign' as send_type,
            'final' as maturity,
            'reported' as delivered_count_basis,
            delivered as sent_count,
            delivered as delivered_count,
            unsubscribes as unsubscribe_count,
            timestamp '2026-01-05 09:00' + to_days(cast(number as integer)) as sent_at,
            false as is_excluded,
            * exclude (stream, number, delivered, unsubscribes)
        from ({query})
        """,
    )


def test_interval_and_tails_of_a_rate(
    world: World, shipped: Shipped, load: Load
) -> None:
    load("rate_interval")
    interval = {
        "rate": shipped.scalar("rate_pct", "x", "n"),
        "wilson_lo": shipped.scalar("wilson_low_pct", "x", "n"),
        "wilson_hi": shipped.scalar("wilson_high_pct", "x", "n"),
    }
    as_shares = {name: f"({sql}) / 100" for name, sql in interval.items()}
    assert_agree(world, "rate_interval", RELATIVE, **as_shares)
    tails = {
        f"p_ge_{name}": shipped.scalar("binomial_upper_tail", "x", "n", edge)
        for name, edge in EDGES.items()
    }
    posteriors = {
        f"jeff_p_gt_{name}": "1 - "
        + shipped.scalar("incomplete_beta", edge, "(x + 0.5e0)", "(n - x + 0.5e0)")
        for name, edge in EDGES.items()
    }
    assert_agree(world, "rate_interval", TAIL, **tails, **posteriors)


def test_the_ends_of_exact_intervals_have_their_tails(
    world: World, shipped: Shipped, load: Load
) -> None:
    load("rate_interval")
    two_sided = "(select *, 0.025e0 as low, 0.975e0 as high from rate_interval"
    jeffreys = ("(x + 0.5e0)", "(n - x + 0.5e0)")
    assert_agree(
        world,
        f"{two_sided})",
        TAIL,
        low=shipped.scalar("incomplete_beta", "jeffreys_lo", *jeffreys),
        high=shipped.scalar("incomplete_beta", "jeffreys_hi", *jeffreys),
    )
    assert_agree(
        world,
        f"{two_sided} where x > 0)",
        TAIL,
        low=shipped.scalar("binomial_upper_tail", "x", "n", "cp_lo"),
    )
    assert_agree(
        world,
        f"{two_sided} where x < n)",
        TAIL,
        high=shipped.scalar("binomial_upper_tail", "(x + 1)", "n", "cp_hi"),
    )


def test_bands_of_a_campaign(world: World, load: Load) -> None:
    load("rate_interval")
    fill_campaigns(
        world,
        "select vector as stream, 1 as number, n as delivered, x as unsubscribes"
        " from rate_interval",
    )
    world.build_upstream("campaign_unsubscribe_rates")
    rows = world.rows(
        """
        select
            x,
            n,
            [mart.observed_band, mart.confirmed_band] as found,
            [
                vectors.observed_band,
                case vectors.confirmed_band
                    when 'none' then 'not_proven' else vectors.confirmed_band
                end
            ] as expected
        from rate_interval as vectors
        inner join campaign_unsubscribe_rates as mart on stream_id = vector
        """
    )
    assert rows
    assert [row for row in rows if row["found"] != row["expected"]] == []


def test_edges_of_bands_are_met_exactly(world: World, load: Load) -> None:
    load("band_boundary")
    fill_campaigns(
        world,
        "select vector as stream, 1 as number, delivered, unsubscribes,"
        " unsubscribes as complaint_count from band_boundary",
    )
    world.build_upstream("campaign_unsubscribe_rates")
    joined = "band_boundary inner join campaign_unsubscribe_rates on stream_id = vector"
    assert_agree(world, joined, RELATIVE, rate_pct="unsubscribe_rate_pct")
    assert (
        world.rows(
            f"""
            select unsubscribes, delivered, band, observed_band, is_complaint_red_flag
            from {joined}
            where
                observed_band is distinct from band
                or is_complaint_red_flag is distinct from cast(
                    complaint_red_flag_if_same_counts as boolean
                )
            """
        )
        == []
    )


def test_a_rate_is_pulled_to_the_mean_of_its_stream(
    world: World, shipped: Shipped, load: Load
) -> None:
    load("eb_history")
    load("eb_expected")
    # Each vector is the next campaign of a stream with its sender's history.
    fill_campaigns(
        world,
        """
        select vector as stream, k as number, n as delivered, x as unsubscribes
        from eb_expected
        union all
        select eb_expected.vector, campaign_id, eb_history.n, eb_history.x
        from eb_history
        inner join eb_expected on eb_history.sender_id = eb_expected.sender_id
        """,
    )
    world.build_upstream("campaign_unsubscribe_rates")
    prior = """
        eb_expected inner join measure_baselines
        on stream_id = vector and history_number = k and measure = 'unsubscribe'
    """
    assert_agree(
        world,
        prior,
        RELATIVE,
        m="pooled_rate",
        cv2_raw="pooled_raw_cv2",
        cv2_noise="pooled_cv2",
        cv2_shrink="shrinkage_cv2",
        strength="prior_strength",
        alpha="prior_event_count",
        beta="prior_strength - prior_event_count",
    )
    assert_agree(
        world,
        "eb_expected inner join campaign_unsubscribe_rates on"
        " stream_id = vector and campaign_id = lpad(cast(k as varchar), 3, '0')",
        RELATIVE,
        shrunk_rate="shrunken_rate_pct / 100",
    )
    posterior = ("(prior_event_count + x)", "(strength - prior_event_count + n - x)")
    tails = {
        f"post_gt_{name}": "1 - " + shipped.scalar("incomplete_beta", edge, *posterior)
        for name, edge in EDGES.items()
    }
    assert_agree(world, prior, TAIL, **tails)
    assert_agree(
        world,
        f"(select *, 0.025e0 as low, 0.975e0 as high from {prior})",
        TAIL,
        low=shipped.scalar("incomplete_beta", "post_lo95", *posterior),
        high=shipped.scalar("incomplete_beta", "post_hi95", *posterior),
    )


def test_a_campaign_is_judged_against_its_own_past(
    world: World, shipped: Shipped, load: Load
) -> None:
    load("spike_input")
    load("spike_expected")
    fill_campaigns(
        world,
        "select stream_id as stream, i as number, n as delivered, x as unsubscribes"
        " from spike_input",
    )
    world.build_upstream("judged_measures")
    judged = """
        (
            select spike_expected.*, event_count, expected_count, predictive_cv2, spike_z
            from spike_expected
            inner join judged_measures
                on
                    judged_measures.stream_id = cast(spike_expected.stream_id as varchar)
                    and mailing_number = i + 1
                    and measure = 'unsubscribe'
        )
    """
    assert len(world.rows(f"from {judged}")) == len(world.rows("from spike_expected"))
    assert_agree(world, judged, RELATIVE, z_anscombe="spike_z")
    tail = shipped.scalar(
        "negative_binomial_upper_tail",
        "event_count",
        "expected_count",
        "predictive_cv2",
    )
    assert_agree(world, judged, TAIL, p_tail=tail)


def test_limits_of_a_control_chart(world: World, load: Load) -> None:
    load("laney")
    fill_campaigns(
        world,
        "select series as stream, i as number, n as delivered, x as unsubscribes"
        " from laney",
    )
    world.build_upstream("control_limits")
    assert_agree(
        world,
        """
        (
            select laney.*, control_limits.* exclude (sigma_z), control_limits.sigma_z
                as shipped_sigma_z
            from laney
            inner join mailings
                on
                    mailings.stream_id = series
                    and campaign_id = lpad(cast(i as varchar), 3, '0')
            inner join control_limits
                on mailings.mailing_key = control_limits.mailing_key
        )
        """,
        RELATIVE,
        pbar="centre_rate",
        p_lcl="p_chart_low",
        p_ucl="p_chart_high",
        sigma_z="shipped_sigma_z",
        z="laney_z * shipped_sigma_z",
        laney_lcl="laney_low",
        laney_ucl="laney_high",
    )


def test_sums_and_averages_of_drift(world: World, load: Load) -> None:
    load("cusum_ewma")
    world.table(
        "judged_measures",
        """
        select
            cast(i as varchar) as mailing_key, 'generic' as source, 'shop' as account,
            'news' as stream_id, 'unsubscribe' as measure, i + 1 as mailing_number,
            z as drift_z
        from cusum_ewma
        """,
    )
    world.build_upstream("drift_signals")
    assert_agree(
        world,
        "cusum_ewma inner join drift_signals on mailing_number = i + 1",
        RELATIVE,
        cusum_k05="cusum",
        ewma_l02="ewma",
    )


def test_false_discoveries_of_a_day(world: World, load: Load) -> None:
    load("bh")
    world.table(
        "judged_measures",
        """
        select
            cast(id as varchar) as mailing_key, 'generic' as source, 'shop' as account,
            cast(id as varchar) as stream_id, 'unsubscribe' as measure,
            p as spike_p_value, timestamp '2026-01-05' as sent_at
        from bh
        """,
    )
    world.build_upstream("false_discovery_rates")
    joined = "bh inner join false_discovery_rates on mailing_key = id"
    assert_agree(world, joined, RELATIVE, q_bh="q_value")


def _fill_trend(world: World, query: str) -> None:
    world.table(
        "trend_points",
        f"""
        select
            'generic' as source, 'shop' as account, cast(stream as varchar) as stream_id,
            'unsubscribe' as measure, number as point_number, value
        from ({query})
        """,
    )
    world.build_upstream("rank_trends")


def test_rank_trend_of_points(world: World, shipped: Shipped, load: Load) -> None:
    load("trend_input")
    load("trend_expected")
    _fill_trend(
        world, "select stream_id as stream, i as number, y as value from trend_input"
    )
    joined = (
        "(from trend_expected inner join (select stream_id as stream, * exclude"
        " (stream_id) from rank_trends) on stream = stream_id)"
    )
    assert_agree(
        world, joined, RELATIVE, z="mann_kendall_z", theil_sen="theil_sen_slope"
    )
    tail = shipped.scalar("normal_upper_tail", "mann_kendall_z")
    assert_agree(world, joined, TAIL, p_one_sided=tail)


def test_gains_of_shapes(world: World, load: Load) -> None:
    load("shape_input")
    load("shape_expected")
    world.table(
        "shape_points",
        """
        select
            'generic' as source, 'shop' as account,
            cast(stream_id as varchar) as stream_id, 'unsubscribe' as measure,
            i as point_number, x as event_count, n as trial_count,
            case when since_gap <= 2 then since_gap end as mailings_since_gap,
            stream_id || '/' || i as mailing_key,
            timestamp '2026-01-05' + to_days(cast(i as integer)) as sent_at
        from (
            select *, i - max(case when gap_flag then i end) over (
                partition by stream_id order by i
            ) as since_gap
            from shape_input
        )
        """,
    )
    world.build_upstream("shape_gains")
    # A shape that no point of the stream allows has no gain.
    for vector, shape in {
        "gain_spike": "isolated_spike",
        "gain_shift": "step",
        "gain_climb": "climb",
        "gain_postgap": "post_gap",
    }.items():
        assert_agree(
            world,
            f"""
            (
                select shape_expected.*, coalesce(gain, 0) as gain
                from shape_expected
                left join shape_gains
                    on
                        shape_gains.stream_id
                        = cast(shape_expected.stream_id as varchar)
                        and shape = '{shape}'
            )
            """,
            {"rel_tol": 1e-6, "abs_tol": 1e-8},
            **{vector: "gain"},
        )
    # Of the log rates, as the gains are.
    _fill_trend(
        world,
        """
        select
            stream_id as stream, i as number,
            ln((x + 0.5e0) / (n + 0.5e0 * (sum(n) over whole + 1) / (
                sum(x) over whole + 0.5e0
            ))) as value
        from shape_input
        window whole as (partition by stream_id)
        """,
    )
    assert_agree(
        world,
        "(from shape_expected inner join (select stream_id as stream, mann_kendall_z"
        " from rank_trends) on stream = stream_id)",
        RELATIVE,
        mk_z_no_tie_correction="mann_kendall_z",
    )


def test_effects_across_strata(
    world: World, shipped: Shipped, load: Load, folder: Path
) -> None:
    load("mh_input")
    strata = ("x1", "n1", "x0", "n0")
    totals = tuple(f"sum({column})" for column in strata)
    ratio = f"({shipped.scalar('mantel_haenszel_ratio', *strata)})"
    variance = shipped.scalar("mantel_haenszel_ratio_variance", *strata)
    width = f"{shipped.scalar('normal_quantile_975')} * sqrt({variance})"
    odds, odds_width = _odds_ratio(shipped)
    expressions = {
        "rr_mh": ratio,
        "rr_lo": f"{ratio} / exp({width})",
        "rr_hi": f"{ratio} * exp({width})",
        "or_mh": odds,
        "or_lo": f"{odds} / exp({odds_width})",
        "or_hi": f"{odds} * exp({odds_width})",
        "crude_diff": f"{totals[0]} / {totals[1]} - {totals[2]} / {totals[3]}",
        "crude_rr": f"{totals[0]} / {totals[1]} / ({totals[2]} / {totals[3]})",
    }
    (found,) = world.rows(f"select {_listed(expressions, '')} from mh_input")
    summed = _listed(dict(zip(strata, totals, strict=True)), "")
    low = shipped.scalar("newcombe_difference_low_pct", *strata)
    high = shipped.scalar("newcombe_difference_high_pct", *strata)
    (interval,) = world.rows(
        f"select ({low}) / 100 as newcombe_lo, ({high}) / 100 as newcombe_hi"
        f" from (select {summed} from mh_input)"
    )
    found |= interval
    expected = json.loads((folder / "mh_expected.json").read_text(encoding="utf-8"))
    for name in found.keys() & expected.keys():
        assert found[name] == pytest.approx(expected[name], rel=1e-6), name
    assert {"rr_mh", "or_mh", "or_lo", "newcombe_lo"} <= expected.keys()
    assert expected.keys() <= found.keys()


def _odds_ratio(shipped: Shipped) -> tuple[str, str]:
    """The ratio of odds over strata, and half the width of its logarithm's interval."""
    strata = ("x1", "n1", "x0", "n0")
    variance = shipped.scalar("mantel_haenszel_odds_variance", *strata)
    return (
        f"({shipped.scalar('mantel_haenszel_odds_ratio', *strata)})",
        f"{shipped.scalar('normal_quantile_975')} * sqrt({variance})",
    )


def test_odds_ratio_of_a_published_table(
    world: World, shipped: Shipped, load: Load
) -> None:
    load("mh_ucb_admissions_input")
    load("mh_ucb_admissions_expected")
    odds, width = _odds_ratio(shipped)
    square = shipped.scalar("mantel_haenszel_chi_square", "x1", "n1", "x0", "n0")
    # The square of a normal deviation: both of its tails.
    tail = shipped.scalar("normal_upper_tail", "sqrt(found_square)")
    assert_agree(
        world,
        f"mh_ucb_admissions_expected, (select *, 2 * {tail} as found_p from ("
        f"select {odds} as found, {odds} / exp({width}) as found_lo,"
        f" {odds} * exp({width}) as found_hi, {square} as found_square"
        " from mh_ucb_admissions_input))",
        RELATIVE,
        or_mh="found",
        or_lo="found_lo",
        or_hi="found_hi",
        chisq="found_square",
        p="found_p",
    )


def test_rates_of_decay(world: World, load: Load) -> None:
    load("decay_conversion")
    # A month that loses so many of so many; the fraction is within 1e-9 of the vector.
    lists = [
        (row["vector"], Fraction(row["monthly_prob"]).limit_denominator(30_000))
        for row in world.rows("from decay_conversion")
    ]
    counted = " union all ".join(
        f"select {vector} as vector, {share.numerator} as lost,"
        f" {share.denominator} as held"
        for vector, share in lists
    )
    world.table(
        "fct_list_spells",
        f"""
        select
            vector || '/' || contact as spell_key, 'generic' as source,
            cast(vector as varchar) as account, 'news' as list,
            cast(contact as varchar) as contact_key, true as is_entry_known,
            timestamp '2025-12-01' as entered_at,
            case when contact < lost then timestamp '2026-01-15' end as left_at,
            case when contact < lost then 'unsubscribe' end as exit_cause
        from ({counted}), lateral (select unnest(range(held)) as contact)
        """,
    )
    world.table(
        "dim_lists",
        f"""
        select
            'generic' as source, cast(vector as varchar) as account, 'news' as list,
            true as has_members, timestamp '2025-12-01' as first_snapshot_at,
            timestamp '2026-02-01' as last_snapshot_at
        from ({counted})
        """,
    )
    world.table(
        "dim_dates",
        "select date_day, date_trunc('month', date_day) as month from (select unnest("
        "range(date '2025-12-01', date '2026-02-02', interval 1 day)) as date_day)",
    )
    world.build_upstream("list_decay_monthly")
    assert_agree(
        world,
        "decay_conversion inner join list_decay_monthly as mart"
        " on account = vector and month = date '2026-01-01' and list = 'news'",
        RELATIVE,
        monthly_prob="monthly_attrition_pct / 100",
        annual_compound="annualised_attrition_pct / 100",
        monthly_hazard="ln(2) / mart.half_life_months",
        half_life_months="mart.half_life_months",
    )


CAUSES = ("unsubscribe", "complaint", "hard_bounce")


def _fill_cohorts(world: World, query: str) -> None:
    """Fill cohort_members from cohort_key, entry_age, exit_age, ev and count."""
    causes = " ".join(
        f"when {number} then '{cause}'" for number, cause in enumerate(CAUSES, 1)
    )
    world.table(
        "cohort_members",
        f"""
        select
            cohort_key, entry_age, exit_age, case ev {causes} end as exit_cause,
            cast(count as bigint) as member_count
        from ({query})
        """,
    )
    world.build_upstream("survival_curves", "incidence_curves")


def test_survival_and_what_took_the_others(world: World, load: Load) -> None:
    load("survival_input")
    load("survival_expected")
    _fill_cohorts(
        world,
        "select grp as cohort_key, 0 as entry_age, t as exit_age, ev, cnt as count"
        " from survival_input",
    )
    incidences = ", ".join(
        f"coalesce(sum(incidence) filter (where exit_cause = '{cause}'), 0) as {cause}"
        for cause in CAUSES
    )
    curves = f"""
        survival_expected
        inner join survival_curves on grp = cohort_key and t = age
        left join (
            select cohort_key, age, {incidences} from incidence_curves group by all
        ) using (cohort_key, age)
    """
    assert len(world.rows(f"from {curves}")) == len(
        world.rows("from survival_expected")
    )
    assert_agree(
        world,
        curves,
        RELATIVE,
        n_risk="at_risk_count",
        n_event="exit_count",
        surv="survival",
        greenwood_se="standard_error",
        cif1="coalesce(unsubscribe, 0)",
        cif2="coalesce(complaint, 0)",
        cif3="coalesce(hard_bounce, 0)",
    )


def test_survival_of_those_who_were_there_before(world: World, load: Load) -> None:
    load("left_truncated_input")
    load("left_truncated_expected")
    _fill_cohorts(
        world,
        """
        select 'delayed' as cohort_key, entry_age, exit_age, ev, 1 as count
        from left_truncated_input
        union all
        select 'naive', 0, exit_age, ev, 1 from left_truncated_input
        """,
    )
    curves = """
        left_truncated_expected
        inner join survival_curves as delayed
            on t = delayed.age and delayed.cohort_key = 'delayed'
        inner join survival_curves as naive
            on t = naive.age and naive.cohort_key = 'naive'
    """
    assert len(world.rows(f"from {curves}")) == len(
        world.rows("from left_truncated_expected")
    )
    assert_agree(
        world,
        curves,
        RELATIVE,
        surv="delayed.survival",
        naive_ignoring_entry="naive.survival",
    )


def test_arrivals_are_learned_from_campaigns_of_any_age(
    world: World, load: Load
) -> None:
    for name in ("counts", "observed", "expected"):
        load(f"maturation_{name}")
    world.table(
        "lag_cells",
        "select lag_day as lag_cell, lag_day * 24 as lag_start_hours,"
        " lag_day * 24 + 24 as lag_end_hours from maturation_expected",
    )
    world.table(
        "int_opt_outs_observed",
        "select campaign_id as campaign_key, 'generic' as source, 'shop' as account,"
        " max_lag as last_observed_cell from maturation_observed",
    )
    world.table(
        "int_opt_out_arrivals_counted",
        "select campaign_id as campaign_key, lag_day as lag_cell,"
        " cnt as opt_out_count from maturation_counts",
    )
    world.build_upstream("fct_arrival_curves")
    assert_agree(
        world,
        "maturation_expected inner join fct_arrival_curves on lag_day = lag_cell",
        RELATIVE,
        share_arrived="arrived_share",
    )


VERDICTS = {
    "identity_violation": "delivered_plus_bounced_plus_dropped_plus_pending_is_sent",
    # Opens, clicks and opt-outs of nobody: more people left than got the mail.
    "undefined_rate_with_events": "unsubscribes_not_above_delivered",
    "unique_opens_gt_delivered": "unique_opens_not_above_delivered",
}
"""Which check has to break. Totals of opens and clicks with their repeats are not
landed, so `unique_gt_total` has nothing to break; a count below zero never becomes one
(tests of the landing)."""


def test_totals_that_contradict_themselves_break_a_check(
    world: World, load: Load
) -> None:
    load("reconciliation")
    world.table(
        "int_campaigns_put_on_one_basis",
        """
        select
            cast(vector as varchar) as campaign_key, 'reported' as delivered_count_basis,
            sent as sent_count, delivered as delivered_count, bounced as bounce_count,
            dropped as dropped_count, pending as pending_count,
            cast(null as bigint) as hard_bounce_count,
            cast(null as bigint) as soft_bounce_count,
            cast(null as bigint) as block_count, cast(null as bigint) as failed_count,
            unsub_unique as unsubscribe_count, complaints as complaint_count,
            unique_opens as unique_open_count,
            cast(null as bigint) as human_open_count,
            unique_clicks as unique_click_count
        from reconciliation
        """,
    )
    world.table(
        "int_event_evidence_counted",
        "select '' as campaign_key, 0 as sent_event_count limit 0",
    )
    world.build_upstream("int_limits_checked", "int_outcomes_checked_against_sent")
    rows = world.rows(
        """
        select
            expected,
            list(check_name) filter (where verdict = 'broken') as broken
        from reconciliation
        left join (
            from int_limits_checked union all by name
            from int_outcomes_checked_against_sent
        ) as checks on campaign_key = vector
        where expected not in ('unique_gt_total', 'negative_count')
        group by vector, expected
        """
    )
    assert {row["expected"] for row in rows} == {*VERDICTS, "ok", "unknown_denominator"}
    for row in rows:
        if row["expected"] in VERDICTS:
            assert VERDICTS[row["expected"]] in row["broken"], row
        else:
            assert not row["broken"], row
