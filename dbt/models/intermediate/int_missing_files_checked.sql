with

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

int_campaigns_put_on_one_basis as (
    select * from {{ ref('int_campaigns_put_on_one_basis') }}
),

int_refused_files_missing as (
    select * from {{ ref('int_refused_files_missing') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

-- A missing file of events takes deliveries or opt-outs from every campaign that was
-- still being answered in its time. Mail that repeats goes on for years and is not
-- judged by one file.
campaign_files as (
    select
        campaigns.campaign_key,

        count(files.load) as missing_file_count,

        campaigns.sent_at is null or send_types.is_repeated as is_unjudged
    from int_campaigns_united as campaigns
    inner join int_campaigns_put_on_one_basis as bases
        on campaigns.campaign_key = bases.campaign_key
    left join send_types
        on campaigns.send_type = send_types.send_type
    left join int_refused_files_missing as files
        on
            campaigns.source = files.source
            and campaigns.account = files.account
            and files.may_hold_events
            and campaigns.sent_at <= files.missing_until_at
            and (
                files.missing_from_at is null
                or {{ seconds_between('campaigns.sent_at', 'files.missing_from_at') }}
                < 86400 * bases.settle_days
            )
    where bases.delivered_count_basis = 'events'
    group by all
),

file_checks as (
    select
        campaign_key,
        'no_file_of_its_events_is_missing' as check_name,

        case
            when is_unjudged then 'unknown'
            when missing_file_count > 0 then 'broken'
            else 'reconciled'
        end as verdict,

        missing_file_count as left_value,
        cast(0 as bigint) as right_value,
        cast(0 as double) as tolerance
    from campaign_files
)

select * from file_checks
