"""When the pipeline runs by itself: once a day, and soon after files have arrived."""

import hashlib

import dagster as dg

from dagster_project.landing.intake import Inbox, judged_marks
from dagster_project.landing.ledger import Ledger
from dagster_project.settings import Settings

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
    description="Land, build, gate, publish, report: what `optout run` does.",
    # Two runs would wait for the same home; a killed one must not block for ever.
    tags={"dagster/max_runtime": "14400", "dagster/concurrency_key": "home"},
)

daily = dg.ScheduleDefinition(
    name="daily",
    job=refresh,
    # Marts age even when no file comes: maturity and months follow the clock.
    cron_schedule="15 5 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)

_SETTLED_SECONDS = 30
"""A file that somebody copies by hand may pause longer than two looks of a run."""


@dg.sensor(
    name="inbox_files",
    job=refresh,
    minimum_interval_seconds=_SETTLED_SECONDS,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Asks for one run for all files that lay still since the last tick.",
)
def inbox_files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """One batched run a tick; the cursor is a hint, the ledger is the truth."""
    settings = Settings.for_process()
    known = judged_marks(Ledger(settings.at))
    seen = Inbox(settings.inbox).look().values()
    waiting = sorted(found.mark for found in seen if found.mark not in known)
    listing = hashlib.sha256(repr(waiting).encode()).hexdigest()
    if not waiting:
        return dg.SkipReason("Every file of the inbox has been judged.")
    if context.cursor != listing:
        return dg.SensorResult(
            skip_reason=f"{len(waiting)} files are new or still changing.",
            cursor=listing,
        )
    request = dg.RunRequest(run_key=listing)
    return dg.SensorResult(run_requests=[request], cursor=listing)
