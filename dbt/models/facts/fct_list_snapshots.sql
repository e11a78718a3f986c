with

int_list_snapshots_judged as (
    select * from {{ ref('int_list_snapshots_judged') }}
),

list_snapshots as (
    select
        {{ hash_key(['source', 'account', 'list', 'exported_date']) }} as snapshot_key,
        source,
        account,
        list,

        claimed_scope,
        declared_scope,
        resolved_scope,
        file_names,

        contact_count,
        previous_contact_count,
        absent_count,
        explained_absent_count,
        unexplained_absent_count,

        {{ rate_pct('unexplained_absent_count', 'previous_contact_count') }}
            as unexplained_absent_share_pct,

        is_sudden_fall,

        exported_date,

        exported_at
    from int_list_snapshots_judged
)

select * from list_snapshots
