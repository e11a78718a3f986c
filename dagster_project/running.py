"""One run of the pipeline in this process: the same Dagster job a schedule starts."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster_project import dagster_home
from dagster_project.landing.intake import Inbox
from dagster_project.landing.land import (
    NothingToDoError,
    advice,
    prepare,
    reland_archive,
    withdraw,
)
from dagster_project.landing.ledger import Archive, Ledger, Load
from dagster_project.progress import Reporter, told_to
from dagster_project.publish import NotPublishedError, published_clock
from dagster_project.settings import Home, Settings
from dagster_project.warehouse import hold, read_only


@dataclass
class Outcome:
    """What a run came to.

    Attributes:
        home: where everything lies.
        judged: files judged in this run.
        findings: what the gate said, critical first.
        is_stopped: whether the gate stopped the marts.
        failure: what went wrong otherwise, in one line; the log has the rest.
        advice: what to do first, when there was nothing to build from.
        log: the run's log file.
        unknown_names: what ``changes.yaml`` names and no export tells of.
    """

    home: Home
    judged: list[Load] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    is_stopped: bool = False
    failure: str | None = None
    advice: str | None = None
    log: Path | None = None
    unknown_names: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """As the command line documents them."""
        if self.is_stopped:
            return 3
        if self.advice:
            return 2
        if self.failure:
            return 1
        return 4 if any(load.state == "refused" for load in self.judged) else 0

    def summary(self) -> dict[str, Any]:
        """For programs."""
        return {
            "exit_code": self.exit_code,
            "published": str(self.home.marts),
            "report": str(self.home.report),
            "findings": self.findings,
            "failure": self.failure,
            "advice": self.advice,
            "unknown_names": self.unknown_names,
            "files": [
                {
                    "file_name": load.file_name,
                    "state": load.state,
                    "refusal_reason": load.refusal_reason,
                    "record_count": load.record_count,
                    "loaded_count": load.loaded_count,
                    "duplicate_count": load.duplicate_count,
                    "rejected_count": load.rejected_count,
                    "skipped_count": load.skipped_count,
                }
                for load in self.judged
            ],
        }


def run_pipeline(settings: Settings, reporter: Reporter) -> Outcome:
    """Run the job once.

    Raises:
        NothingToDoError: inbox empty and nothing landed before.
        HomeBusyError: another run holds the home.
        Other errors with advice, see ``landing``.
    """
    home = settings.at
    with hold(home), told_to(reporter):
        before = {load.load for load in Ledger(home)}
        empty = not before and not Archive(home).arrivals()
        if empty and not Inbox(settings.inbox).look():
            raise NothingToDoError(advice(settings))
        prepare(settings)
        outcome = _execute(settings)
        outcome.judged = [load for load in Ledger(home) if load.load not in before]
    return outcome


def rebuild_everything(settings: Settings, reporter: Reporter) -> Outcome:
    """Land the archive again, then build and publish as a run does.

    The clock is that of the last run unless one is given, so that equal archives give
    equal marts.

    Raises:
        NothingToDoError: when nothing ever arrived.
        HomeBusyError: another run holds the home.
    """
    settings = _as_published(settings)
    with hold(settings.at), told_to(reporter):
        landed = reland_archive(settings, lambda *at: reporter.advance("landing", *at))
        outcome = _execute(settings)
        outcome.judged = landed.judged
    return outcome


def _as_published(settings: Settings) -> Settings:
    """At the clock of the published marts, unless one is given."""
    if settings.now is None and settings.at.marts.exists():
        return settings.model_copy(update={"now": published_clock(settings.at)})
    return settings


def _execute(settings: Settings) -> Outcome:
    dagster_home.prepare(settings)
    settings.share()
    log = settings.at.logs / "run.log"
    with _logged_to(log):
        # Imported here: Dagster and dbt take seconds and read the shared settings.
        import dagster as dg

        from dagster_project.definitions import definitions

        with dg.DagsterInstance.get() as instance:
            result = definitions.resolve_job_def("refresh").execute_in_process(
                instance=instance, raise_on_error=False
            )
            outcome = Outcome(settings.at, log=log)
            for evaluation in result.get_asset_check_evaluations():
                found: Any = evaluation.metadata["findings"].value
                outcome.findings += [str(finding) for finding in found]
                critical = evaluation.severity == dg.AssetCheckSeverity.ERROR
                outcome.is_stopped |= critical and not evaluation.passed
            if not result.success and not outcome.is_stopped:
                _explain_failure(outcome, result)
    if result.success:
        outcome.unknown_names = _unknown_names(settings.at)
    return outcome


_UNKNOWN_NAMES = """
select
    case
        when streams.declared_stream is not null
            then concat('the stream ', streams.declared_stream)
        when changes.source is null then 'any stream'
        else concat('mail of ', concat_ws('/', changes.source, changes.account))
    end as name,
    changes.change_number
from facts.dim_change_streams as streams
inner join facts.dim_changes as changes on streams.change_key = changes.change_key
where streams.is_unknown
union all
select concat('the campaign ', campaigns.campaign_id), changes.change_number
from facts.dim_change_campaigns as campaigns
inner join facts.dim_changes as changes on campaigns.change_key = changes.change_key
where campaigns.campaign_key is null
order by change_number, name
"""


def _unknown_names(home: Home) -> list[str]:
    with read_only(home.warehouse) as warehouse:
        found = warehouse.execute(_UNKNOWN_NAMES).fetchall()
    return [f"{name} (change {number})" for name, number in found]


_DBT_FAILURE = re.compile(r"((?:Failure|Error) in \w+ \w+ \([^)]*\))")
"""What dbt says failed, among everything else it prints."""


def _explain_failure(outcome: Outcome, result: Any) -> None:
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            cause = error.cause or error
            says = cause.message.strip().splitlines()[0].partition(": ")[2]
            if cause.cls_name == NothingToDoError.__name__:
                outcome.advice = says
            elif cause.cls_name == NotPublishedError.__name__:
                outcome.findings.append(says)
                outcome.is_stopped = True
            else:
                dbt_says = _DBT_FAILURE.search(cause.message)
                told = dbt_says[1] if dbt_says else f"{cause.cls_name}: {says}"
                outcome.failure = f"{event.step_key}: {told}"
            return
    outcome.failure = "The run failed before its first step."


def withdraw_file(
    settings: Settings, file: str, reporter: Reporter, *, undo: bool
) -> Outcome:
    """Undo one landed file, then build and publish at the clock of the last run.

    Raises:
        NoSuchFileError: when no file or more than one answers to the name.
        HomeBusyError: another run holds the home.
    """
    settings = _as_published(settings)
    with hold(settings.at), told_to(reporter):
        load = withdraw(settings, file, undo=undo)
        outcome = _execute(settings)
        outcome.judged = [load]
    return outcome


@contextmanager
def _logged_to(path: Path) -> Iterator[None]:
    """Keep Dagster's and dbt's chatter in the log file and off the terminal."""
    # Left open: Dagster's own handlers keep writing to it until the process ends.
    log = path.open("w", encoding="utf-8", buffering=1)
    root = logging.getLogger()
    handler = logging.StreamHandler(log)
    root.addHandler(handler)
    try:
        with redirect_stdout(log), redirect_stderr(log):
            yield
    finally:
        root.removeHandler(handler)
