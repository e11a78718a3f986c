"""The page: what it says of known marts, and that nothing in it can run or be fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.report import (
    OutdatedMartsError,
    build_report,
    findings,
    page,
    words,
)
from dagster_project.report.chapters import send_charts, send_words
from dagster_project.report.chapters import trust as trust_chapter
from dagster_project.report.queries import read_frames
from dagster_project.report.rows.leaving import Reason
from dagster_project.report.rows.sends import Send
from dagster_project.report.rows.trust import Trust
from tests.unit.report_marts import (
    BUILD,
    CHECKS,
    HOSTILE,
    QUOTED,
    failed_check,
    freshness,
    question,
    reason,
    revision,
    send,
    stream_trend,
    trend_point,
    trust,
    wilson,
    write_marts,
    year_of_marts,
)
from tests.unit.report_page import Seen, html_of, seen

EDGES = (0.2, 0.5, 1.0)
CSS = (page.TEMPLATES / "page.css").read_text(encoding="utf-8")


def part(page: Seen, heading: str) -> str:
    """The text of one part of the page, from its heading to the next of its level."""
    text = page.text
    start = text.rindex(heading)
    ends = [text.find(other, start + 1) for other in TRUST_PARTS]
    return text[start : min((end for end in ends if end > 0), default=None)]


TRUST_PARTS = (
    "What was excluded, and what to do",
    "What arrives late",
    "What could not be read",
    "What moved since",
    "What your files cannot answer",
    "Which sends hurt",
)


def sends_only(*rows: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {"campaign_unsubscribe_rates": list(rows)}


def as_send(row: dict[str, Any]) -> Send:
    return Send(**{name: row.get(name) for name in Send.__dataclass_fields__})


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return seen(tmp_path_factory.mktemp("year"), year_of_marts())


class TestWords:
    @pytest.mark.parametrize(
        ("value", "said"),
        [
            pytest.param(None, "unknown", id="nothing_is_unknown"),
            pytest.param(0.0, "0 %", id="a_true_zero_is_zero"),
            pytest.param(100 * 20 / 9800, "0.204 %", id="0.2041_is_not_healthy_0.20"),
            pytest.param(0.2, "0.20 %", id="an_edge_itself_stays"),
            pytest.param(0.19999, "0.19999 %", id="below_an_edge_never_rounds_onto_it"),
            pytest.param(
                0.500049, "0.50005 %", id="above_an_edge_never_rounds_onto_it"
            ),
            pytest.param(1.5388, "1.54 %", id="three_digits"),
            pytest.param(0.02404, "0.024 %", id="two_digits_below_a_tenth"),
            pytest.param(38.12, "38.1 %", id="tens"),
            pytest.param(100.0, "100 %", id="everybody"),
        ],
    )
    def test_percent(self, value: float | None, said: str) -> None:
        assert words.percent(value, EDGES).replace(words.SPACE, " ") == said

    @pytest.mark.parametrize(
        ("people", "said"), [(51.1, "+51"), (-1.2, "−1"), (0.3, "0"), (None, "unknown")]
    )
    def test_people_are_signed(self, people: float | None, said: str) -> None:
        assert words.signed(people) == said

    @pytest.mark.parametrize(
        ("row", "why"),
        [
            pytest.param(
                send(1, is_excluded=True, exclusion_reason="delivered_not_above_sent"),
                "excluded, because this does not hold: delivered not above sent",
                id="excluded",
            ),
            pytest.param(
                send(1, 20, None),
                "no export says how many were delivered",
                id="unstated",
            ),
            pytest.param(
                send(
                    1,
                    20,
                    None,
                    is_excluded=True,
                    exclusion_reason="delivered_count_is_known",
                ),
                "no export says how many were delivered",
                id="unstated_and_told_as_excluded",
            ),
            pytest.param(
                send(1, 0, 0), "nothing was delivered", id="nothing_delivered"
            ),
            pytest.param(
                send(1, None, 100),
                "no export says how many unsubscribed",
                id="uncounted",
            ),
        ],
    )
    def test_an_unknown_rate_says_why(self, row: dict[str, Any], why: str) -> None:
        assert send_words.why_no_rate(as_send(row)) == why


class TestFindings:
    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            pytest.param("insufficient_data", False, id="nobody_knows"),
            pytest.param("none", False, id="usual"),
            pytest.param("watch", True, id="worth_a_look"),
            pytest.param("alert", True, id="an_alert"),
            pytest.param("strong", True, id="hardly_luck"),
        ],
    )
    def test_a_send_stands_out_where_the_marts_say_so(
        self, status: str, expected: bool
    ) -> None:
        row = as_send(send(1, 64, 4159, expected=0.31, status=status))
        assert row.is_standing_out is expected

    @pytest.mark.parametrize(
        ("observed", "confirmed", "judged"),
        [
            pytest.param(
                "healthy", "not_proven", "healthy", id="nothing_worse_is_seen"
            ),
            pytest.param("critical", "not_proven", "unproven", id="seen_is_not_proven"),
            pytest.param("critical", "acceptable", "acceptable", id="what_is_proven"),
            pytest.param(None, None, None, id="no_rate_no_band"),
        ],
    )
    def test_the_proven_band_judges(
        self, observed: str | None, confirmed: str | None, judged: str | None
    ) -> None:
        row = send(1, None, 10, observed_band=observed, confirmed_band=confirmed)
        assert as_send(row).judged_band == judged

    def test_sends_are_ranked_by_people_beyond_expectation(self) -> None:
        rows = [
            as_send(send(1, 20, None)),
            as_send(send(2, 90, 9800)),
            as_send(send(3, 20, 9800, expected=0.1)),
            as_send(send(4, 40, 9800, expected=0.1)),
        ]
        ranked = [row.campaign_id for row in findings.worst_first(rows)]
        assert ranked == [f"newsletter-{number}" for number in (4, 3, 2, 1)]

    @pytest.mark.parametrize(
        ("part", "whole"), [(20, 9800), (0, 7), (7, 7), (101, 500)]
    )
    def test_a_share_has_the_interval_of_the_marts(self, part: int, whole: int) -> None:
        assert findings.Share(part, whole).interval == pytest.approx(
            wilson(part, whole)
        )

    def test_a_share_of_nobody_is_unknown(self) -> None:
        share = findings.Share(0, 0)
        assert (share.pct, share.interval) == (None, None)

    def test_reasons_are_summed_over_lists_before_they_are_divided(self) -> None:
        rows = [
            reason("too_frequent", 30),
            reason("not_relevant", 10),
            reason("too_frequent", 10, mail_list="Offers"),
            reason("not_asked", 50, mail_list="Offers"),
        ]
        totals = findings.reason_totals(as_reason(row) for row in rows)
        # answered 30 + 10 + 10 = 50, all 100
        assert totals.main is not None
        assert totals.main.of_answered.pct == pytest.approx(80.0)
        assert totals.main.of_all.pct == pytest.approx(40.0)
        assert [row.reason for row in totals.silences] == ["not_asked"]

    def test_an_answer_nobody_understood_is_never_the_main_reason(self) -> None:
        rows = [reason("unclassified", 90), reason("too_frequent", 10)]
        totals = findings.reason_totals(as_reason(row) for row in rows)
        assert totals.main is not None
        assert totals.main.reason == "too_frequent"
        assert totals.main.of_answered.pct == pytest.approx(10.0)


def as_reason(row: dict[str, Any]) -> Any:
    return Reason(**{name: row.get(name) for name in Reason.__dataclass_fields__})


class TestWhatThePageSays:
    def test_the_answer_comes_first(self, year: Seen) -> None:
        # 3 streams x 47 sends; one excluded, one without a delivered count
        head = year.text[: year.text.index("Which sends hurt")]
        assert "139 of 141 sends can be judged" in head
        assert "1 (0.709 %) is excluded because its counts contradict each other" in (
            head.replace(words.SPACE, " ")
        )
        assert f"{HOSTILE} of 13 Oct 2026 cost the most people beyond" in head
        assert "is confirmed to be above" in head
        assert (
            "What the evidence says: Too many reported it as spam (confirmed)." in head
        )
        assert "Rising: offers since 5 Aug 2026 (+140 %)." in (
            head.replace(words.SPACE, " ")
        )
        assert "Too many emails" in head
        assert "of its contacts a year" in head
        assert BUILD in head
        assert "31 Dec 2026 (newest export)" in head
        assert "3 sends too young to be final" in head

    def test_every_chapter_is_there(self, year: Seen) -> None:
        places = [
            year.text.rindex(chapter)
            for chapter in (
                "What happened, and what to do",
                "Did it help?",
                "Were opt-outs honoured?",
                "Can I trust this?",
                "Which sends hurt",
                "What was unusual",
                "Content and audience",
                "Why people left",
                "After the opt-out",
                "What the list is losing",
                "Who stays",
                "Where people come from",
                "How often is too often",
                "Who still reads",
                "Addresses and verdicts",
                "Complaints by mailbox provider",
                "Where the numbers come from",
                "How we judge",
            )
        ]
        assert places == sorted(places)

    def test_an_excluded_send_stands_with_the_check_it_breaks(self, year: Seen) -> None:
        trust = part(year, "What was excluded, and what to do")
        assert "1 send: more delivered than sent" in trust
        assert "More messages arrived than were sent. What to do: Check which" in trust
        assert "also: more bounces than mail 9,900 9,800 100 0" in trust

    def test_opt_outs_add_up_in_the_open(self, year: Seen) -> None:
        assert "800 600 100 20 70 10 ✓ yes" in year.text

    def test_a_refused_file_says_why_and_what_to_do(self, year: Seen) -> None:
        assert "broken container The gzip ends early. Export it again." in year.text

    def test_the_band_is_the_marts_even_when_the_number_looks_rounder(
        self, tmp_path: Path
    ) -> None:
        # 50,001 / 10,000,000 = 0.50001 %: investigate, though it rounds to 0.500
        shown = seen(tmp_path, sends_only(send(1, 50_001, 10_000_000))).text
        assert "0.50001 %" in shown.replace(words.SPACE, " ")

    def test_unknown_is_a_word_and_never_a_zero(self, tmp_path: Path) -> None:
        row = send(1, 20, None, delivered_count_basis="unavailable")
        html = html_of(tmp_path, sends_only(row))
        table = html[html.index('id="stream-1-table"') : html.index("</table>")]
        body = Seen(table[table.index("<tbody>") :]).text
        assert "no export says how many were delivered" in body
        assert body.count("unknown") >= 5
        assert " 0 " not in body.replace(words.SPACE, " ")

    def test_opens_no_export_prints_are_explained(self, tmp_path: Path) -> None:
        text = seen(tmp_path, sends_only(send(1), send(2))).text
        assert "Opens are unknown: the exports of this stream print none." in text

    @pytest.mark.parametrize(
        ("is_confirmed", "said"),
        [
            pytest.param(True, "⚑ red flag, confirmed", id="proven"),
            pytest.param(False, "⚐ red flag, not confirmed", id="only_seen"),
        ],
    )
    def test_a_red_flag_says_whether_it_is_proven(
        self, tmp_path: Path, is_confirmed: bool, said: str
    ) -> None:
        row = send(
            1,
            complaint_count=30,
            is_complaint_red_flag=True,
            is_complaint_confirmed=is_confirmed,
        )
        assert said in seen(tmp_path, sends_only(row)).text

    def test_a_new_stream_convicts_nobody(self, tmp_path: Path) -> None:
        text = seen(tmp_path, sends_only(send(1), send(2, 90))).text
        assert "No send can be called unusual" in text

    def test_marts_without_rows_make_a_page_that_says_so(self, tmp_path: Path) -> None:
        shown = seen(tmp_path, {})
        assert "Nothing has been published that could be judged yet." in shown.text
        assert shown.figures == {}

    def test_no_marts_is_advice_and_no_page(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="Run `optout run` first"):
            build_report(tmp_path / "marts.duckdb", tmp_path / "index.html")
        assert not (tmp_path / "index.html").exists()

    def test_a_flow_is_folded_below_the_sends_that_have_a_day(
        self, tmp_path: Path
    ) -> None:
        flow = send(1, 500, 90_000, stream="welcome/flow", send_type="flow")
        text = seen(tmp_path, sends_only(flow, send(1))).text
        assert text.index("newsletter generic") < text.index("welcome/flow")
        assert "Other streams" in text

    def test_reasons_of_a_send_need_more_than_a_handful_of_answers(
        self, tmp_path: Path
    ) -> None:
        def rows(answers: int) -> dict[str, list[dict[str, Any]]]:
            said = reason(
                "too_frequent",
                answers,
                kind="campaign",
                start=date(2026, 1, 13),
                campaign_id="newsletter-1",
                variant="",
            )
            return {**sends_only(send(1)), "opt_out_reasons": [said]}

        few, many = seen(tmp_path / "few", rows(4)), seen(tmp_path / "many", rows(5))
        assert "Said most" not in few.text
        assert "Said most: Too many emails: 5 of 5 answers" in many.text


class TestJudgement:
    def test_the_costliest_findings_stand_open_and_the_rest_is_folded(
        self, year: Seen
    ) -> None:
        start = year.text.rindex("What happened, and what to do")
        text = year.text[start : year.text.rindex("Were opt-outs honoured?")]
        assert text.index("Too many reported it as spam confirmed") < text.index(
            "This one send put people off"
        )
        assert "+95 people lost beyond expectation" in text
        assert "What to do: Stop mailing the segment that complained." in text
        assert "After: founding brief" in text
        assert "People get too much mail probable the stream newsletter" in text
        assert text.index("3 more findings") > text.index("Newsletter 5")
        assert text.index("3 more findings") < text.index("Newsletter 6")

    def test_without_findings_it_says_so(self, tmp_path: Path) -> None:
        text = seen(tmp_path, sends_only(send(1))).text
        assert "Nothing: no send and no stream shows anything that luck" in text

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            pytest.param({"earlier": 4}, "only 4 earlier sends", id="short_past"),
            pytest.param({}, "no verdict first send", id="no_past"),
            pytest.param(
                {"send_type": "flow"},
                "no verdict mail that goes out all the time is not compared",
                id="a_flow",
            ),
            pytest.param(
                {"earlier": 26, "spike_z": 1.0},
                "too few opt-outs to be expected",
                id="too_little_mail",
            ),
            pytest.param(
                {
                    "earlier": 26,
                    "spike_z": 1.0,
                    "maturity": "provisional",
                    "expected_complete_share": 0.3,
                },
                "no verdict about 30 % of its opt-outs have arrived",
                id="too_early",
            ),
            pytest.param(
                {"earlier": 26, "spike_z": 2.61, "status": "alert"},
                "!! alert z 2.61",
                id="an_alert",
            ),
            pytest.param(
                {
                    "earlier": 26,
                    "spike_z": 1.0,
                    "status": "none",
                    "grade_context": "post_gap_expected",
                },
                "as expected z 1.00 first after a pause, which is allowed for",
                id="after_a_pause",
            ),
        ],
    )
    def test_every_send_has_a_verdict_or_says_why_not(
        self, tmp_path: Path, more: dict[str, Any], said: str
    ) -> None:
        shown = seen(tmp_path, sends_only(send(1, **more)))
        assert said in shown.text.replace(words.SPACE, " ")

    def test_people_beyond_expectation_have_an_interval(self, tmp_path: Path) -> None:
        # 64 - 4,159 x 0.31 / 100 = 51; the interval is the mart's, here +-10
        row = send(1, 64, 4159, expected=0.31, earlier=26)
        text = seen(tmp_path, sends_only(row)).text.replace(words.SPACE, " ")
        assert "+51 +41 to +61" in text
        assert "expected 0.31 %" in text

    def test_what_is_only_observed_stands_beside_what_is_proven(
        self, tmp_path: Path
    ) -> None:
        row = send(1, 3, 200, confirmed_band="not_proven", industry_position="within")
        text = seen(tmp_path, sends_only(row)).text
        assert "not proven observed critical like most senders" in text

    @pytest.mark.parametrize(
        ("shape", "said"),
        [
            pytest.param("stable", "Steady over its newest 26", id="steady"),
            pytest.param("step", "Rising: since 5 Aug 2026 about +140 %,", id="step"),
            pytest.param("climb", "+140 % from one send to the next", id="climb"),
            pytest.param(
                "undetermined_rise", "cannot be told yet", id="undetermined_rise"
            ),
            pytest.param("isolated_spike", "One spike, on 5 Aug 2026", id="spike"),
            pytest.param("spike_unconfirmed", "too new to tell", id="new_spike"),
            pytest.param("post_gap", "High after the pause", id="post_gap"),
            pytest.param("insufficient_data", "Too little mail to say", id="silent"),
        ],
    )
    def test_every_shape_is_said_in_words(
        self, tmp_path: Path, shape: str, said: str
    ) -> None:
        trend = stream_trend(
            shape, effect_pct=140.0, shape_started_at=datetime(2026, 8, 5)
        )
        rows = {**sends_only(send(1)), "stream_trends": [trend]}
        assert said in seen(tmp_path, rows).text.replace(words.SPACE, " ")

    def test_drift_and_a_lasting_band_and_moved_levels_are_told(
        self, tmp_path: Path
    ) -> None:
        rows = {
            **sends_only(send(1), send(2)),
            "unsubscribe_rate_trends": [
                trend_point(2, drift_status="alert"),
                trend_point(1),
            ],
            "stream_trends": [
                stream_trend(
                    "stable",
                    persistent_band="investigate",
                    open_direction="falling",
                    open_ratio=0.8,
                    click_direction="stable",
                    click_ratio=1.0,
                )
            ],
        }
        text = seen(tmp_path, rows).text.replace(words.SPACE, " ")
        assert "Drift alarm" in text
        assert "confirmed “investigate” or worse" in text
        assert "opens falling (−20 %), clicks unchanged" in text

    def test_nothing_rising_and_nothing_known_are_different(
        self, tmp_path: Path
    ) -> None:
        def head(shape: str) -> str:
            rows = {**sends_only(send(1)), "stream_trends": [stream_trend(shape)]}
            return seen(tmp_path / shape, rows).text

        assert "No stream is rising." in head("stable")
        assert "enough mail yet to tell whether it is" in head("insufficient_data")

    def test_flows_constants_and_contradictions_are_at_hand(self, year: Seen) -> None:
        text = year.text.replace(words.SPACE, " ")
        assert "Welcome mail 1 Welcome flow , generic · main Dec 2026 900 9" in text
        assert "Sep 2026 900" not in text
        assert "claims 2 % as the average. It is 4 times what" in text
        assert "0.09 0.0712 1,200 sends in 12 streams" in text


class TestCanITrustThis:
    @pytest.mark.parametrize(
        ("counts", "said"),
        [
            pytest.param((54, 54, 0, 0, 0), "All 54 sends reconciled.", id="all_well"),
            pytest.param((1, 1, 0, 0, 0), "1 send reconciled.", id="one_send"),
            pytest.param(
                (54, 52, 1, 1, 3),
                "52 of 54 sends reconciled; 1 excluded because its counts contradict"
                " each other; 1 has no delivered count; 3 still settle.",
                id="every_part",
            ),
            pytest.param(
                (9, 2, 2, 2, 1),
                "2 of 9 sends reconciled; 2 excluded because their counts contradict"
                " each other; 2 have no delivered count; 3 had nothing to be checked"
                " against; 1 still settles.",
                id="plural_and_unchecked",
            ),
            pytest.param(
                (9, None, None, None, None),
                "How many of 9 sends reconcile is unknown; how many contradict"
                " themselves is unknown; how many lack a delivered count is unknown;"
                " how many still settle is unknown.",
                id="unknown_is_said_and_not_zero",
            ),
            pytest.param(
                (0, 0, 0, 0, 0),
                "No send: its files bring no mail to be judged.",
                id="no_send",
            ),
        ],
    )
    def test_an_account_is_judged_in_one_sentence(
        self, counts: tuple[int | None, ...], said: str
    ) -> None:
        names = ("campaign", "reconciled_campaign", "excluded_campaign")
        names += ("unknown_campaign", "provisional_campaign")
        row = trust(
            **{f"{name}_count": n for name, n in zip(names, counts, strict=True)}
        )
        kept = {name: row.get(name) for name in Trust.__dataclass_fields__}
        assert trust_chapter.account_sentence(Trust(**kept)) == said

    def test_the_account_with_the_most_sends_comes_first(self, year: Seen) -> None:
        start = year.text.rindex("Can I trust this?")
        text = year.text[start : year.text.rindex(TRUST_PARTS[0])]
        assert text.index("generic · main") < text.index("generic · </script>")
        assert "1 of its exports is late." in text

    def test_a_send_without_a_delivered_count_does_not_contradict_itself(
        self, year: Seen
    ) -> None:
        text = part(year, "What was excluded, and what to do")
        assert "1 send: no delivered count" in text
        assert "Newsletter 31 11 Aug 2026" in text
        # There are no two counts to show, and an unknown one is not shown as 0.
        table = text[text.index("no delivered count") : text.index("1 send: more")]
        assert "One side" not in table
        assert "0" not in table.replace("2026", "")

    def test_a_check_that_only_warns_is_told_apart(self, year: Seen) -> None:
        text = part(year, "What was excluded, and what to do")
        noted = text[text.index("Noted, and still judged") :]
        assert "a printed rate nothing explains" in noted
        assert "Offers 12" in noted

    def test_a_long_group_of_exclusions_is_folded_and_counted_once(
        self, tmp_path: Path
    ) -> None:
        rows = [
            send(
                number,
                is_excluded=True,
                exclusion_reason="delivered_not_above_sent, bounces_not_above_sent",
            )
            for number in range(9)
        ]
        checks = [
            failed_check(row["campaign_key"], name, 9900, 9800)
            for row in rows
            for name in ("delivered_not_above_sent", "bounces_not_above_sent")
        ]
        marts = {"campaign_unsubscribe_rates": rows, "denominator_audit": checks}
        text = part(seen(tmp_path, marts), TRUST_PARTS[0])
        assert text.count(CHECKS["delivered_not_above_sent"][1]) == 1
        assert "9 sends: more delivered than sent" in text
        assert "9 sends: more bounces" not in text
        assert text.count("also: more bounces than mail") == 9
        assert "5 more" in text

    def test_times_are_told_in_hours(self) -> None:
        assert trust_chapter.amount("send_times_agree", 86_400) == "24 hours"
        assert trust_chapter.amount("delivered_not_above_sent", 86_400) == "86,400"
        assert trust_chapter.amount("vendor_rate_explained", 0.005) == "0.005"

    def test_a_late_export_says_its_rhythm_and_a_young_one_that_it_has_none(
        self, year: Seen
    ) -> None:
        text = part(year, "What arrives late")
        assert "12 days ago 19 Dec 2026 every 7 days 2 Jan 2027" in text
        assert "1 export comes on time; 1 export came too seldom" in text
        assert text.count("events") == 1

    def test_what_could_not_be_read_has_counts_beside_shares(self, year: Seen) -> None:
        text = part(year, "What could not be read").replace(words.SPACE, " ")
        assert "Of 200 records in 2 files" in text
        assert "2 1.0 % of 200 12 6.0 % of 200 1 0" in text
        assert "70 of 800 records 40 unknown" in text

    def test_what_moved_after_final_comes_first(self, year: Seen) -> None:
        text = part(year, "What moved since").replace(words.SPACE, " ")
        assert "One rate moved after it was final" in text
        assert "1 change moved a rate while its send still settled" in text
        assert "1 change moved counts and no unsubscribe rate" in text
        assert "0.204 % 0.296 % +0.092 points" in text
        assert "delivered 9,800 → 9,790 (−10)" in text
        assert text.index("again-8.csv") < text.index("again-7.csv")
        assert "again-9.csv" not in text

    def test_a_rate_that_was_lost_outweighs_any_movement(self, tmp_path: Path) -> None:
        rows = [
            revision(1, "delivered_count", 9800, None, (0.2, None)),
            revision(2, "unsubscribe_count", 20, 900, (0.2, 9.0)),
            revision(3, "unsubscribe_count", 20, 30, (0.2, 0.3)),
        ]
        text = part(seen(tmp_path, {"rate_revisions": rows}), "What moved since")
        places = [text.index(f"again-{number}.csv") for number in (1, 2, 3)]
        assert places == sorted(places)
        assert "delivered 9,800 → unknown" in text

    def test_only_the_largest_changes_of_each_kind_are_read(
        self, tmp_path: Path
    ) -> None:
        rows = [
            revision(
                number,
                "unsubscribe_count",
                20,
                20 + number,
                (0.2, 0.2 + number / 100),
                is_after_final=number < 30,
            )
            for number in range(1, 60)
        ]
        marts = write_marts(tmp_path / "marts.duckdb", {"rate_revisions": rows})
        frames = read_frames(marts)
        assert sorted(int(row.campaign_id[11:]) for row in frames.revisions) == [
            *range(10, 30),
            *range(40, 60),
        ]
        counted = {
            row.is_after_final: row.change_count for row in frames.revision_counts
        }
        assert counted == {True: 29, False: 30}

    @pytest.mark.parametrize(
        ("missing", "is_open"),
        [
            pytest.param(6, True, id="a_few_stand_open"),
            pytest.param(7, False, id="many_are_folded"),
        ],
    )
    def test_what_cannot_be_answered_says_why_and_what_to_export(
        self, tmp_path: Path, missing: int, is_open: bool
    ) -> None:
        rows = [
            question(f"question_{number}", "Nothing tells it.", "Generic: contacts")
            for number in range(missing)
        ]
        shown = seen(tmp_path, {"coverage": [question("rate"), *rows]})
        text = part(shown, "What your files cannot answer")
        assert f"1 of {missing + 1} questions can be answered" in text
        assert "Question 0? Nothing tells it. Generic: contacts" in text
        assert [("open" in a) for a in shown.all("details")] == [is_open]

    def test_an_account_with_nothing_to_say_says_so_in_a_line_a_part(
        self, tmp_path: Path
    ) -> None:
        html = html_of(
            tmp_path,
            {
                "campaign_unsubscribe_rates": [send(1)],
                "source_trust": [
                    trust(
                        campaign_count=1,
                        reconciled_campaign_count=1,
                        file_count=2,
                        record_count=1200,
                    )
                ],
                "source_freshness": [freshness("events", 1, 1.0, 2.0, is_late=False)],
                "coverage": [question("rate"), question("trend")],
            },
        )
        shown = Seen(html)
        for said in (
            "1 send reconciled.",
            "Nothing: no send contradicts itself, and every delivered count is known.",
            "Nothing is late; 1 export comes on time.",
            "Nothing: 1,200 records in 2 files, none rejected, every word known,",
            "Nothing: no later file changed what an earlier one said.",
            "generic · main : all 2 questions can be answered.",
        ):
            assert said in shown.text
        chapter = html[html.index('<section id="trust"') :]
        assert "<table" not in chapter[: chapter.index("</section>")]

    @pytest.mark.parametrize("rows", [{}, year_of_marts()], ids=["empty", "year"])
    def test_no_table_is_empty(
        self, tmp_path: Path, rows: dict[str, list[dict[str, Any]]]
    ) -> None:
        html = html_of(tmp_path, rows)
        bodies = re.findall(r"<tbody>(.*?)</tbody>", html, re.DOTALL)
        assert all("<tr" in body for body in bodies)

    def test_marts_of_an_earlier_version_are_advice(self, tmp_path: Path) -> None:
        marts = write_marts(tmp_path / "marts.duckdb", {})
        connection = duckdb.connect(str(marts))
        connection.execute("drop view marts.marts.source_trust")
        connection.execute("drop table marts.main.source_trust")
        connection.close()
        with pytest.raises(OutdatedMartsError, match="Run `optout run`"):
            build_report(marts, tmp_path / "index.html")


class TestFile:
    def test_equal_marts_make_equal_bytes(self, tmp_path: Path) -> None:
        rows = year_of_marts()
        first, second = html_of(tmp_path / "a", rows), html_of(tmp_path / "b", rows)
        assert first == second

    def test_the_marts_are_only_read(self, tmp_path: Path) -> None:
        marts = write_marts(tmp_path / "marts.duckdb", year_of_marts())
        before = marts.read_bytes()
        build_report(marts, tmp_path / "index.html")
        assert marts.read_bytes() == before

    def test_a_page_that_cannot_be_drawn_leaves_the_old_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        marts = write_marts(tmp_path / "marts.duckdb", {})
        target = tmp_path / "report" / "index.html"
        build_report(marts, target)
        before = target.read_bytes()
        monkeypatch.setattr(page.os, "fsync", lambda _: (_ for _ in ()).throw(OSError))
        with pytest.raises(OSError):
            build_report(marts, target)
        assert target.read_bytes() == before
        assert [path.name for path in target.parent.iterdir()] == ["index.html"]

    def test_forty_busy_streams_fit_on_a_page(self, tmp_path: Path) -> None:
        html = html_of(tmp_path, year_of_marts(40, 300), plotly=None)
        assert len(html.encode()) < 9_000_000
        assert "smaller streams" in html


class TestSafety:
    def test_scripts_are_ours_alone_and_named_in_the_policy(self, year: Seen) -> None:
        kinds = [attributes.get("type") for attributes in year.all("script")]
        assert kinds == ["application/json", None, None]
        policy = next(
            attributes["content"] or ""
            for attributes in year.all("meta")
            if attributes.get("http-equiv") == "Content-Security-Policy"
        )
        assert "default-src 'none'" in policy
        assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
        for script in year.scripts[1:]:
            digest = hashlib.sha256(script.encode()).digest()
            assert f"'sha256-{base64.b64encode(digest).decode()}'" in policy

    def test_nothing_is_fetched(self, year: Seen) -> None:
        for _, attributes in year.elements:
            for name in ("src", "href", "srcset", "action", "data", "poster"):
                value = attributes.get(name)
                assert value is None or value.startswith(("#", "data:"))
        assert "url(" not in CSS
        assert "@import" not in CSS

    def test_a_name_that_looks_like_markup_is_text(self, year: Seen) -> None:
        assert HOSTILE in year.text
        assert re.sub(r"\s+", " ", QUOTED) in year.text
        assert not year.all("b") or all("onerror" not in row for row in year.all("b"))
        assert "<" not in year.scripts[0]

    def test_labels_of_charts_are_escaped_for_plotly(self, year: Seen) -> None:
        hovers = [
            text
            for figure in year.figures.values()
            for trace in figure["data"]
            for text in trace.get("hovertext", [])
        ]
        assert any("&lt;script&gt;" in text for text in hovers)
        assert not any("<script" in text for text in hovers)


class TestCharts:
    def test_plotly_accepts_every_figure(self, year: Seen) -> None:
        import plotly.graph_objects as go

        def coloured(part: Any) -> Any:
            if isinstance(part, str) and part.startswith("--"):
                return "#123456"
            if isinstance(part, list):
                return [coloured(item) for item in part]
            if isinstance(part, dict):
                return {key: coloured(item) for key, item in part.items()}
            return part

        assert len(year.figures) >= 3 + 1 + 9
        for figure in year.figures.values():
            go.Figure(coloured(figure))

    def test_every_colour_has_a_value_that_the_script_looks_up(
        self, year: Seen
    ) -> None:
        used = set(re.findall(r'"(--[a-z0-9-]+)"', json.dumps(year.figures)))
        data = next(a for a in year.all("script") if a.get("id") == "figures")
        palette = {f"--{name}" for name in (data["data-palette"] or "").split()}
        assert used <= palette
        assert all(f"{name}:" in CSS for name in palette)

    def test_a_tiny_send_does_not_flatten_the_others(self) -> None:
        rows = [as_send(send(number, 20, 9800)) for number in range(9)]
        tiny = as_send(send(9, 3, 10))
        assert (
            send_charts.axis_top([*rows, tiny], EDGES)
            == send_charts.axis_top(rows, EDGES)
            < 1
        )

    def test_a_real_spike_does(self) -> None:
        rows = [as_send(send(number, 20, 9800)) for number in range(9)]
        spike = as_send(send(9, 300, 9800))
        assert send_charts.axis_top([*rows, spike], EDGES) > 3

    def test_provisional_is_hollow_and_no_rate_is_a_cross(self, tmp_path: Path) -> None:
        rows = sends_only(
            send(1), send(2, maturity="provisional"), send(3, 20, None), send(4)
        )
        traces = seen(tmp_path, rows).figures["stream-1"]["data"]
        symbols = [trace["marker"]["symbol"] for trace in traces if "marker" in trace]
        assert symbols == [["square", "square"], ["square-open"], "x-thin"]
        assert traces[-1]["y"][0] < 0

    def test_a_send_that_stands_out_has_a_ring_and_marks(self, tmp_path: Path) -> None:
        rows = sends_only(
            send(1, status="none"), send(2, status="watch"), send(3, status="strong")
        )
        traces = seen(tmp_path, rows).figures["stream-1"]["data"]
        rings = [trace for trace in traces if trace["mode"] == "markers+text"]
        assert [trace["text"] for trace in rings] == [["!"], ["!!!"]]
        sizes = [trace["marker"]["size"] for trace in rings]
        assert sizes == sorted(sizes)

    def test_the_expected_rate_is_the_line_and_pauses_are_shaded(
        self, tmp_path: Path
    ) -> None:
        rows = sends_only(
            send(1, expected=0.2),
            send(
                2,
                expected=0.4,
                is_post_gap=True,
                days_since_previous_send=90,
                sent_at=datetime(2026, 4, 13, 9),
            ),
            send(3, expected=0.2, sent_at=datetime(2026, 4, 20, 9)),
        )
        rows["unsubscribe_rate_trends"] = [trend_point(number) for number in (1, 2, 3)]
        figure = seen(tmp_path, rows).figures["stream-1"]
        low, high, line = figure["data"][:3]
        assert (low["y"], high["y"]) == ([0.1] * 3, [0.3] * 3)
        assert line["y"] == [0.2, 0.4, 0.2]
        (pause,) = [s for s in figure["layout"]["shapes"] if s["type"] == "rect"]
        assert (pause["x0"], pause["x1"]) == (
            "2026-01-13T09:00:00",
            "2026-04-13T09:00:00",
        )
        labels = [note["text"] for note in figure["layout"]["annotations"]]
        assert "90 days<br>without mail" in labels

    def test_time_is_an_axis_so_that_gaps_show(self, tmp_path: Path) -> None:
        rows = sends_only(send(1), send(2, sent_at=datetime(2026, 9, 1, 9)))
        figure = seen(tmp_path, rows).figures["stream-1"]
        assert figure["layout"]["xaxis"]["type"] == "date"
        marks = next(trace for trace in figure["data"] if trace["mode"] == "markers")
        assert marks["x"] == ["2026-01-13T09:00:00", "2026-09-01T09:00:00"]


class TestAccess:
    def test_page_has_a_language_and_one_heading(self, year: Seen) -> None:
        assert year.all("html")[0]["lang"] == "en"
        assert len(year.all("h1")) == 1

    def test_every_chart_is_described_in_words(self, year: Seen) -> None:
        drawn = [
            a for a in year.all("div") if (a.get("class") or "").startswith("chart")
        ]
        assert {a["id"] for a in drawn} == set(year.figures)
        alts = [a for a in year.all("p") if a.get("class") == "alt"]
        assert len(alts) == len(drawn)

    def test_every_heading_of_a_table_has_a_scope(self, year: Seen) -> None:
        assert all(a.get("scope") in ("col", "row") for a in year.all("th"))

    def test_ids_are_unique_and_links_lead_somewhere(self, year: Seen) -> None:
        ids = Counter(a["id"] for _, a in year.elements if a.get("id"))
        assert max(ids.values()) == 1
        links = [str(a["href"]) for _, a in year.elements if a.get("href")]
        inner = {link[1:] for link in links if link.startswith("#")}
        assert inner <= ids.keys()

    @pytest.mark.parametrize("mode", ["light", "dark"])
    @pytest.mark.parametrize(
        "name",
        [
            "ink",
            "muted",
            "link",
            "past",
            "healthy",
            "unproven",
            "acceptable",
            "investigate",
            "critical",
        ],
    )
    def test_text_can_be_read(self, mode: str, name: str) -> None:
        parts = CSS.split("@media (prefers-color-scheme: dark)")
        colours = dict(
            re.findall(
                r"--([a-z]+): (#[0-9a-f]{6});", parts[0 if mode == "light" else 1]
            )
        )
        # WCAG 2 AA for text of ordinary size
        assert contrast(colours[name], colours["paper"]) >= 4.5


def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_only_the_newest_twelve_months_of_reasons_are_read(tmp_path: Path) -> None:
    rows = [
        reason("too_frequent", 5, start=date(2025, 11, 1)),
        reason("too_frequent", 7, start=date(2025, 12, 1)),
    ]
    marts = write_marts(tmp_path / "marts.duckdb", {"opt_out_reasons": rows})
    assert [row.reason_count for row in read_frames(marts).reasons] == [7]
