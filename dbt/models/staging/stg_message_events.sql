with

message_events as (
    select * from {{ source('landing', 'message_events') }}
),

renamed as (
    select
        source,
        account,
        event_key,
        contact_key,
        campaign_id,
        coalesce(variant, '') as variant,
        message_id,

        event_type,
        mailbox_provider,
        campaign_name,
        subject,
        stream,
        audience,
        list,
        tags,
        send_type,
        bounce_class,
        drop_reason,
        url_kind,
        opt_out_scope,
        opt_out_scope_id,
        opt_out_method,
        initiator,
        reason,
        reason_basis,
        reason_rule,
        reason_labels,
        reason_language,
        reason_option_set,
        load,

        record_number,
        item_number,
        reason_length,

        is_machine,

        occurred_at
    from message_events
)

select * from renamed
