with

mailings as (
    select * from {{ ref('mailings') }}
),

judged_measures as (
    select * from {{ ref('judged_measures') }}
),

false_discovery_rates as (
    select * from {{ ref('false_discovery_rates') }}
),

spike_neighbours as (
    select * from {{ ref('spike_neighbours') }}
),

persistent_rises as (
    select * from {{ ref('persistent_rises') }}
),

unusual_audiences as (
    select * from {{ ref('unusual_audiences') }}
),

mailing_contents as (
    select * from {{ ref('mailing_contents') }}
),

spikes as (
    select
        judged_measures.mailing_key,
        judged_measures.source,
        judged_measures.account,
        judged_measures.stream_id,
        judged_measures.campaign_id,

        judged_measures.maturity,
        mailings.open_basis,
        judged_measures.history_count,

        judged_measures.event_count,
        judged_measures.trial_count,
        mailings.open_count,
        mailings.click_count,
        coalesce(mailings.suspect_automated_count, 0) as suspect_automated_count,

        judged_measures.expected_count,
        judged_measures.expected_low_count,
        judged_measures.expected_high_count,
        judged_measures.predictive_cv2,
        judged_measures.spike_z,
        {{ negative_binomial_z(
            '(judged_measures.event_count - mailings.suspect_automated_count)',
            'judged_measures.expected_count',
            'judged_measures.predictive_cv2'
        ) }} as spike_z_of_people,
        false_discovery_rates.q_value,

        judged_measures.sent_at
    from judged_measures
    inner join mailings
        on judged_measures.mailing_key = mailings.mailing_key
    left join false_discovery_rates
        on
            judged_measures.mailing_key = false_discovery_rates.mailing_key
            and judged_measures.measure = false_discovery_rates.measure
    where
        judged_measures.measure = 'unsubscribe'
        and judged_measures.is_assessable
        and judged_measures.spike_z >= {{ var('spike_watch_z') }}
),

opens as (
    select
        mailing_key,
        baseline_rate,
        spike_z
    from judged_measures
    where measure in ('human_open', 'any_open')
),

clicks as (
    select
        mailing_key,
        baseline_rate,
        predictive_cv2,
        spike_z
    from judged_measures
    where measure = 'click'
),

-- Clicks against those that as many opens usually bring.
responses as (
    select
        spikes.mailing_key,

        opens.spike_z as open_z,
        clicks.spike_z as click_z,
        case
            when opens.spike_z is not null and clicks.spike_z is not null
                then {{ negative_binomial_z(
                    'spikes.click_count',
                    '(spikes.open_count * clicks.baseline_rate / opens.baseline_rate)',
                    'clicks.predictive_cv2'
                ) }}
        end as click_to_open_z
    from spikes
    left join opens
        on spikes.mailing_key = opens.mailing_key
    left join clicks
        on spikes.mailing_key = clicks.mailing_key
),

judged_spikes as (
    select
        spikes.mailing_key,
        spikes.source,
        spikes.account,
        spikes.stream_id,
        spikes.campaign_id,

        spikes.maturity,
        spikes.open_basis,
        unusual_audiences.audience_evidence,
        contents.content_category,
        contents.usual_category,
        spikes.history_count,
        contents.promotional_run_count,
        contents.before_run_count,
        contents.before_run_promotional_count,
        contents.earlier_count,
        contents.earlier_category_count,
        spike_neighbours.earlier_high_count,
        spike_neighbours.later_count,
        spike_neighbours.later_normal_count,

        spikes.event_count,
        spikes.trial_count,
        spikes.suspect_automated_count,

        spikes.expected_count,
        spikes.expected_low_count,
        spikes.expected_high_count,
        spikes.predictive_cv2,
        spikes.spike_z,
        spikes.spike_z_of_people,
        spikes.q_value,
        responses.open_z,
        responses.click_z,
        responses.click_to_open_z,

        unusual_audiences.mailing_key is not null as is_unusual_audience,
        coalesce(contents.category_vs_usual in ('new', 'unusual'), false)
            as is_unusual_content,
        coalesce(contents.is_promotional_run, false) as is_promotional_run,
        spikes.suspect_automated_count > 0
        and (
            2 * spikes.suspect_automated_count
            >= spikes.event_count - spikes.expected_count
            or spikes.spike_z_of_people < {{ var('spike_watch_z') }}
        ) as is_tracking_artefact,
        coalesce(responses.click_z <= -{{ var('spike_watch_z') }}, false)
            as are_clicks_down,
        coalesce(responses.open_z >= {{ var('spike_watch_z') }}, false) as are_opens_up,
        coalesce(responses.open_z <= -{{ var('spike_watch_z') }}, false)
            as are_opens_down,
        coalesce(responses.click_to_open_z <= -{{ var('spike_watch_z') }}, false)
            as is_click_to_open_down,
        coalesce(spikes.sent_at >= persistent_rises.shape_started_at, false)
            as is_in_rise,

        spikes.sent_at
    from spikes
    inner join responses
        on spikes.mailing_key = responses.mailing_key
    inner join spike_neighbours
        on spikes.mailing_key = spike_neighbours.mailing_key
    left join persistent_rises
        on spikes.stream_id = persistent_rises.stream_id
    left join unusual_audiences
        on spikes.mailing_key = unusual_audiences.mailing_key
    left join mailing_contents as contents
        on spikes.mailing_key = contents.mailing_key
),

spike_evidence as (
    select
        mailing_key,
        source,
        account,
        stream_id,
        campaign_id,

        maturity,
        open_basis,
        concat(
            {{ count_in_words('event_count') }}, ' opt-outs of ',
            {{ count_in_words('trial_count') }}, ' delivered (',
            {{ number_in_words(rate_pct('event_count', 'trial_count'), 2) }},
            ' %), ', {{ number_in_words('expected_count', 1) }}, ' expected (95 %: ',
            {{ number_in_words('expected_low_count', 0) }}, ' to ',
            {{ number_in_words('expected_high_count', 0) }}, ') from ', history_count,
            ' earlier mailings; z ', {{ number_in_words('spike_z', 1) }}
        ) as spike_evidence,
        audience_evidence,
        case when is_unusual_content then concat(
            'about "', content_category, '" as ',
            {{ count_in_words('earlier_category_count') }}, ' of the ',
            {{ count_in_words('earlier_count') }},
            ' mailings before it, usually "', usual_category, '"'
        ) end as category_evidence,
        case when is_promotional_run then concat(
            'promotion number ', {{ count_in_words('promotional_run_count') }},
            ' in a row; of the ', {{ count_in_words('before_run_count') }},
            ' mailings before these, ',
            {{ count_in_words('before_run_promotional_count') }}, ' were promotions'
        ) end as run_evidence,
        coalesce(
            concat_ws(
                ', ',
                'opens z ' || {{ number_in_words('open_z', 1) }},
                'clicks z ' || {{ number_in_words('click_z', 1) }},
                'clicks for these opens z '
                || {{ number_in_words('click_to_open_z', 1) }},
                case
                    when open_basis = 'all' then 'opens include machines'
                    when open_basis = 'unknown' then 'opens are unknown'
                end
            ),
            ''
        ) as response_evidence,
        concat(
            'of the next {{ var('spike_later_campaigns') }} usual mailings, ',
            later_normal_count, ' ordinary, ',
            later_count - later_normal_count, ' high, ',
            {{ var('spike_later_campaigns') }} - later_count, ' yet to come'
        ) as later_evidence,
        case
            when
                maturity = 'final'
                and spike_z >= {{ var('spike_alert_z') }}
                and q_value < {{ var('false_discovery_level') }}
                then 'confirmed'
            else 'probable'
        end as spike_confidence,
        case
            when
                (open_basis <> 'human' or open_z is null) and not are_clicks_down
                then 'low_confidence'
            when
                maturity = 'final'
                and spike_z >= {{ var('spike_alert_z') }}
                and q_value < {{ var('false_discovery_level') }}
                then 'confirmed'
            else 'probable'
        end as spike_confidence_on_opens,

        event_count,
        trial_count,
        suspect_automated_count,

        expected_count,
        expected_low_count,
        expected_high_count,
        predictive_cv2,
        {{ negative_binomial_upper_tail(
            'event_count', 'expected_count', 'predictive_cv2'
        ) }} as exact_p_value,
        spike_z,
        spike_z_of_people,
        q_value,
        open_z,
        click_z,
        click_to_open_z,

        is_unusual_audience,
        is_unusual_content,
        is_promotional_run,
        is_tracking_artefact,
        are_opens_up
        and (are_clicks_down or is_click_to_open_down) as is_promise_broken,
        not is_unusual_audience
        and not is_unusual_content
        and not is_promotional_run
        and not is_tracking_artefact
        and open_z is not null
        and not are_opens_up
        and not are_opens_down
        and is_click_to_open_down
        and not is_in_rise
        and earlier_high_count = 0 as is_content_disappointing,
        not is_unusual_audience
        and not is_unusual_content
        and not is_promotional_run
        and not is_tracking_artefact
        and not is_click_to_open_down
        and not are_opens_up
        and not are_opens_down
        and not is_in_rise
        and earlier_high_count = 0
        and later_normal_count = {{ var('spike_later_campaigns') }}
            as is_content_of_one_send,
        is_in_rise,
        later_count < {{ var('spike_later_campaigns') }} as is_unconfirmed,

        sent_at
    from judged_spikes
)

select * from spike_evidence
