"""Seeded, skewed per-recipient events in the documented `generic` shape.

Campaign sizes, audiences and engagement are uneven as in life: few large campaigns and
many small ones, few contacts who open everything. 1.5 % of the events come a second
time under their own id, and 2 % of the addresses in another case, because those are
what makes counting dear. Draws are hashes of what they are about, so equal numbers of
events give equal files with the same DuckDB.

Run as a process of its own (`python -m benchmarks.generator`), because a large parent
would be counted as memory of everything it starts.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from benchmarks.files import FIRST_SEND, LAYOUTS, SEND_DAYS, events_file, inbox

DONE = "events.json"
"""Written last: a folder without it was not finished."""

ROWS_PER_SEND = 2.52
"""What one send becomes on average with the rates below; only the size hangs on it."""
EVENTS_PER_CONTACT = 20
CAMPAIGNS = 300

_OPTIONS = {
    "csv": "format csv, header",
    "ndjson": "format json",
    "parquet": "format parquet, compression snappy",
}


@dataclass(frozen=True)
class Generated:
    """What was written.

    Attributes:
        asked_events: what was asked for.
        events: rows of every format, copies included.
        copies: rows that say again what an earlier row said.
        bytes: size by format.
    """

    asked_events: int
    events: int
    copies: int
    bytes: dict[str, int]


def _draw(*keys: str) -> str:
    """A number in [0, 1) that depends on nothing but its keys.

    Hashed twice: one hash leaves draws that share their first key correlated.
    """
    return f"(hash(hash({', '.join(keys)}))::double / 18446744073709551616.0)"


def _of_send(purpose: str) -> str:
    return _draw("campaign", "contact", f"'{purpose}'")


def _audience_of(key: str) -> str:
    share = _draw(key, "'audience'")
    return (
        f"case when {share} < 0.45 then 0 when {share} < 0.70 then 1"
        f" when {share} < 0.85 then 2"
        f" else 3 + floor({_draw(key, chr(39) + 'small' + chr(39))} * 5)::int end"
    )


def _create_contacts(engine: duckdb.DuckDBPyConnection, contact_count: int) -> None:
    first = "['ana','ben','chloe','elena','farid','grace','hugo','ivy','jonas','kira']"
    last = "['smith','garcia','rossi','kim','novak','silva','tanaka','okafor']"
    engine.execute(
        f"""
        create table contacts as
        select
            contact,
            {_audience_of("contact")} as audience,
            printf(
                '%s.%s%d@company%d.example.com',
                {first}[1 + floor({_draw("contact", "'first'")} * 10)::int],
                {last}[1 + floor({_draw("contact", "'last'")} * 8)::int],
                contact,
                floor(pow({_draw("contact", "'company'")}, 2) * 5000)::int
            ) as email,
            pow({_draw("contact", "'engagement'")}, 3) as engagement
        from range({contact_count}) as numbers(contact)
        """
    )
    engine.execute(
        """
        create table members as
        select
            *,
            row_number() over (partition by audience order by contact) - 1 as place,
            count(*) over (partition by audience) as audience_size
        from contacts
        """
    )


def _create_campaigns(engine: duckdb.DuckDBPyConnection, send_count: int) -> None:
    """Campaigns in time order, their sizes falling as one over the root of a rank."""
    rank = f"1 + floor({_draw('campaign', chr(39) + 'rank' + chr(39))} * {CAMPAIGNS})"
    engine.execute(
        f"""
        create table campaigns as
        with drawn as (
            select
                campaign,
                {_audience_of("campaign")} as audience,
                1 / sqrt({rank}) as weight,
                timestamp '{FIRST_SEND}'
                + to_seconds((campaign * {SEND_DAYS} * 86400 / {CAMPAIGNS})::bigint)
                as sent_at
            from range({CAMPAIGNS}) as numbers(campaign)
        ),
        sized as (
            select
                drawn.*, audiences.audience_size, weight * audience_size as size_weight
            from drawn
            inner join (select distinct audience, audience_size from members)
                as audiences using (audience)
        )
        select
            *,
            least(
                audience_size,
                ceil({send_count} * size_weight / sum(size_weight) over ())::bigint
            ) as size
        from sized
        """
    )
    engine.execute(
        f"""
        create table sends as
        select
            campaigns.campaign,
            campaigns.audience,
            members.contact,
            members.email,
            members.engagement,
            campaigns.sent_at + to_seconds(
                ({_draw("campaigns.campaign", "members.contact", "'at'")} * 7200)::int
            ) as sent_at
        from (select *, unnest(range(size)) as step from campaigns) as campaigns
        inner join members
            on members.audience = campaigns.audience
            and members.place
            = (step + hash(campaigns.campaign) % 1000003) % campaigns.audience_size
        """
    )


def _create_events(engine: duckdb.DuckDBPyConnection) -> None:
    opens = f"1 + floor(pow({_of_send('opens')}, 4) * 4)::int"
    clicks = f"1 + floor(pow({_of_send('clicks')}, 5) * 3)::int"
    tail = f"pow({_of_send('tail')}, 4) * 600000 * (1 + number)"
    leaves = f"0.0012 + 0.004 * pow({_draw('campaign')}, 3)"
    # word, which sends have it, how often, seconds after the send
    kinds = (
        ("sent", "true", "1", "0"),
        ("delivered", "not is_bounced", "1", f"1 + {_of_send('delivery')} * 90"),
        ("bounced", "is_bounced", "1", f"1 + {_of_send('delivery')} * 3600"),
        (
            "opened",
            f"not is_bounced and {_of_send('open')} < 0.1 + engagement * 0.75",
            opens,
            f"60 + {tail}",
        ),
        (
            "clicked",
            f"not is_bounced and {_of_send('click')} < 0.005 + engagement * 0.12",
            clicks,
            f"90 + {tail}",
        ),
        (
            "unsubscribed",
            f"not is_bounced and {_of_send('leave')} < {leaves}",
            "1",
            f"120 + pow({_of_send('leaving')}, 3) * 400000",
        ),
        (
            "complained",
            f"not is_bounced and {_of_send('leave')} > 0.9996",
            "1",
            f"120 + pow({_of_send('leaving')}, 3) * 400000",
        ),
    )
    happened = " union all ".join(
        f"select *, '{word}' as event_type,"
        f" sent_at + to_seconds(({seconds})::bigint) as occurred_at"
        f" from (select *, unnest(range({times})) as number from judged where {which})"
        for word, which, times, seconds in kinds
    )
    engine.execute(
        f"""
        create table events as
        with judged as (
            select *, {_of_send("bounce")} < 0.024 as is_bounced from sends
        ),
        happened as ({happened})
        select
            md5(concat_ws('-', campaign, contact, event_type, number)) as event_id,
            event_type,
            strftime(occurred_at, '%Y-%m-%dT%H:%M:%SZ') as occurred_at,
            case
                when {_draw("campaign", "contact", "event_type", "'case'")} < 0.02
                    then upper(email)
                else email
            end as email,
            printf('campaign-%05d', campaign) as campaign_id,
            printf('audience-%d', audience) as stream,
            case
                when event_type = 'bounced' and {_of_send("class")} < 0.35 then 'hard'
                when event_type = 'bounced' then 'soft'
            end as bounce_class,
            case
                when event_type = 'opened'
                    then {_draw("campaign", "contact", "number", "'machine'")} < 0.12
                when event_type = 'clicked' then false
            end as is_machine,
            case
                when event_type = 'clicked' then printf(
                    'https://shop.example.com/products/%d?utm_campaign=%d',
                    floor(pow({_of_send("link")}, 3) * 4000)::int, campaign
                )
            end as url,
            case
                when event_type = 'unsubscribed' and {_of_send("answer")} < 0.3
                    then ['too_frequent', 'not_relevant', 'never_signed_up', 'other'][
                        1 + floor({_of_send("reason")} * 4)::int
                    ]
            end as reason,
            'newsletter' as list,
            occurred_at + to_seconds((2 + {_of_send("report")} * 600)::bigint)
                as received_at
        from happened
        """
    )
    # The same report again an hour later, as webhooks are repeated.
    engine.execute(
        f"""
        insert into events
        select * replace (received_at + interval 1 hour as received_at) from events
        where {_draw("event_id", "'again'")} < 0.015
        """
    )


def _clear(directory: Path, draws: Path) -> None:
    """Take away what an earlier call left, and nothing else of the folder."""
    directory.mkdir(parents=True, exist_ok=True)
    for layout in LAYOUTS:
        shutil.rmtree(inbox(directory, layout), ignore_errors=True)
    for path in (directory / DONE, draws, draws.with_name(f"{draws.name}.wal")):
        path.unlink(missing_ok=True)


def generate(event_count: int, directory: Path) -> Generated:
    """Write about `event_count` events in every format.

    Returns:
        What was written; the same as before when the folder already holds it.
    """
    done = directory / DONE
    if done.exists():
        known = Generated(**json.loads(done.read_text(encoding="utf-8")))
        if known.asked_events == event_count:
            return known
    draws = directory / "draws.duckdb"
    _clear(directory, draws)
    with duckdb.connect(str(draws)) as engine:
        engine.execute("set TimeZone = 'UTC'")
        _create_contacts(engine, max(1000, event_count // EVENTS_PER_CONTACT))
        _create_campaigns(engine, int(event_count / ROWS_PER_SEND))
        _create_events(engine)
        row = engine.execute(
            "select count(*), count(*) - count(distinct event_id) from events"
        ).fetchone()
        assert row is not None
        for layout in LAYOUTS:
            path = events_file(directory, layout)
            path.parent.mkdir(parents=True)
            engine.execute(
                "copy (select * exclude (received_at) from events"
                f" order by received_at, event_id) to '{path}' ({_OPTIONS[layout]})"
            )
    draws.unlink()
    sizes = {name: events_file(directory, name).stat().st_size for name in LAYOUTS}
    generated = Generated(event_count, int(row[0]), int(row[1]), sizes)
    done.write_text(json.dumps(asdict(generated)), encoding="utf-8")
    return generated


def main() -> None:
    """Generate and say what was written."""
    parser = argparse.ArgumentParser(description="Seeded events for the benchmarks.")
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--to", type=Path, required=True)
    given = parser.parse_args()
    generated = generate(given.events, given.to)
    sys.stdout.write(json.dumps(asdict(generated)) + "\n")


if __name__ == "__main__":
    main()
