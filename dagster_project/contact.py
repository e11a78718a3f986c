"""One person's standing: on which lists, what they got, what they said, what is known.

Read from the facts of the working warehouse, for whoever has to answer that person.
Neither the address nor the key that stands for it is in the answer.
"""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.landing.identity import load_key, normalise
from dagster_project.settings import Settings
from dagster_project.warehouse import hold, read_only

Rows = list[dict[str, Any]]

_SEEN = """
select mailbox_provider, first_seen_at, last_seen_at
from facts.dim_contacts
where contact_key = $contact
"""

_PARTS = {
    "lists": """
        select
            source, account, list,
            case when left_at is null then 'on the list' else 'left' end as standing,
            exit_cause, signup_source, opt_in_method,
            case when is_entry_known then entered_at end as joined_at, left_at
        from facts.fct_list_spells
        where contact_key = $contact
        order by left_at is not null, source, account, list, entered_at desc
    """,
    "opt_outs": """
        select
            source, account, opt_out_scope as scope,
            coalesce(opt_out_scope_id, list) as scope_id,
            case when ended_at is null then 'in force' else 'ended' end as standing,
            opt_out_method as method, is_by_recipient, primary_reason as reason,
            campaign_id, opted_out_at, ended_at
        from facts.fct_opt_outs
        where contact_key = $contact
        order by opted_out_at desc, opt_out_key
    """,
    "complaints": """
        select source, account, stream_id, campaign_id, complained_at
        from facts.fct_complaints
        where contact_key = $contact
        order by complained_at desc, complaint_key
    """,
    "verdicts": """
        select
            source, account, provider, validation_status, validation_reason, risk,
            verified_at
        from facts.fct_list_validations
        where contact_key = $contact
        order by verified_at desc, validation_key
    """,
    "sends": """
        select
            sends.source, sends.account, sends.stream_id, sends.campaign_id,
            campaigns.campaign_name, sends.outcome,
            sends.is_human_opened as is_opened, sends.is_clicked,
            sends.is_opted_out, sends.is_complained,
            coalesce(sends.sent_at, sends.first_seen_at) as sent_at
        from facts.fct_sends as sends
        left join facts.dim_campaigns as campaigns
            on sends.campaign_key = campaigns.campaign_key
        where sends.contact_key = $contact
        order by coalesce(sends.sent_at, sends.first_seen_at) desc, sends.send_key
    """,
}


class ContactError(Exception):
    """Nothing can be told; the text says why and what to do, and names nobody."""


def standing_of(settings: Settings, address: str) -> dict[str, Any]:
    """All that the facts know of one person, newest first.

    Args:
        settings: whose home.
        address: as it is written, in any spelling the exports use.

    Returns:
        ``lists``, ``opt_outs``, ``complaints``, ``verdicts`` and ``sends``, a row each,
        after the mailbox provider and the first and last moment the person was seen.

    Raises:
        ContactError: when nobody of that address is known.
        KeyMissingError: when the key of the home is gone.
        HomeBusyError: while a run writes.
    """
    if normalise(address) is None:
        raise ContactError(
            "That is no e-mail address. Give one address, like name@example.com, on"
            " standard input."
        )
    home, given = settings.at, settings.contact_key
    if not home.warehouse.exists():
        raise ContactError(
            f"{home.warehouse} is missing: nobody is known. `optout run`."
        )
    secret = given.get_secret_value() if given else None
    key = load_key(home.key, secret, may_create=False)
    contact = {"contact": key.of(address)}
    with hold(home), read_only(home.warehouse) as facts:
        try:
            seen = _rows(facts, _SEEN, contact)
            parts = {name: _rows(facts, sql, contact) for name, sql in _PARTS.items()}
        except (duckdb.CatalogException, duckdb.BinderException):
            raise ContactError(
                "The warehouse was built by another version. `optout run`, then ask"
                " again."
            ) from None
    if not seen:
        raise ContactError(
            "Nobody of that address is in any export that landed. Check the spelling:"
            " dots and +tags count, upper case does not. An address that was landed"
            " with another contact key cannot be found."
        )
    return seen[0] | parts


def _rows(facts: duckdb.DuckDBPyConnection, sql: str, contact: dict[str, str]) -> Rows:
    answer = facts.execute(sql, contact)
    names = [column[0] for column in answer.description or []]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
