"""The one thing scalars cannot say: a Subscription record is old and new preferences.

The opt-out is their difference: ``unsubscribeAll`` turned true (the whole list) or a
topic gone to OptOut; the reverse is a re-subscription. A topic without an old state
counts when it is now OptOut: an opt-out is never lost. Every other record passes
through as it is.
"""

COLUMNS = ("change_kind", "change_scope", "change_scope_id")
"""Columns added: out or in, the scope it concerns, and which topic."""


def relation(records: str) -> str:
    """SQL giving every record, and a row a changed preference of a Subscription.

    Args:
        records: name of the relation with the mapping's inputs, lets and item.
    """
    return f"""
select *, null as change_kind, null as change_scope, null as change_scope_id
from {records} where event is distinct from 'Subscription'
union all
select {records}.* replace (
    row_number() over (
        partition by {records}.record_number
        order by {records}.item_number, change.scope, change.scope_id
    ) as item_number
), change.kind, change.scope, change.scope_id
from {records}
left join (
    select record_number, item_number, 'list' as scope, contact_list as scope_id,
        case when is_out then 'out' else 'in' end as kind
    from (
        select *,
            coalesce(json_extract_string(new_preferences, '$.unsubscribeAll'), 'false')
                = 'true' as is_out,
            coalesce(json_extract_string(old_preferences, '$.unsubscribeAll'), 'false')
                = 'true' as was_out
        from {records} where event = 'Subscription'
    ) where is_out <> was_out
    union all
    select record_number, item_number, 'topic', topic,
        case when new_status = 'OptOut' then 'out' else 'in' end
    from (
        select now.record_number, now.item_number, now.topic,
            now.status as new_status, before.status as old_status
        from ({_topics(records, "new_preferences")}) as now
        left join ({_topics(records, "old_preferences")}) as before
            using (record_number, item_number, topic)
    ) where new_status <> coalesce(old_status, 'OptIn')
) as change using (record_number, item_number)
where {records}.event = 'Subscription'
"""


def _topics(records: str, preferences: str) -> str:
    return f"""
select record_number, item_number,
    json_extract_string(preference, '$.topicName') as topic,
    json_extract_string(preference, '$.subscriptionStatus') as status
from (
    select record_number, item_number,
        unnest(json_extract({preferences}, '$.topicSubscriptionStatus[*]'))
            as preference
    from {records} where event = 'Subscription' and {preferences} is not null
)
"""
