-- mart.AlertValidation: whether telemetry supports an alert, and why that is said.
-- Grain: TenantId, AlertId. Inputs: Alerts, Correlation (mart.AlertCorrelation), Leads, Pivots,
-- PivotEvents.
--   corroborated         a process by its key; or a file, address, URL or registry change near the
--                        alert's activity on a device that the alert names
--   pending              not that, and what is missing may still come
--   partly_corroborated  a bare name, an account's logons, a device's activity; what is found only far from
--                        the activity, or on devices that the alert does not name; one of several processes
--   uncorroborated       a complete pull holds nothing that supports it
-- Device names are all that comes from outside into the reason, and nothing but letters and digits of them.
with Shown as (
    select
        Pivots.AlertId,
        Pivots.EvidenceId,
        arg_min(Pivots.PivotKind, Pivots.Rank) as PivotKind,
        min(Pivots.Rank) as Rank,
        any_value(Pivots.Reach) as Reach,
        any_value(Pivots.Anywhere) as Anywhere,
        list(distinct left(regexp_replace(PivotEvents.DeviceName, '[^\pL\pN._-]', '', 'g'), 64)) as Names
    from Pivots
    inner join PivotEvents using (EventTable, FileNumber, RowNumber)
    group by Pivots.AlertId, Pivots.EvidenceId
),

Grouped as (
    select
        AlertId,
        PivotKind,
        Reach,
        Anywhere,
        min(Rank) as Rank,
        count(*) as Items,
        bool_or(Reach = 'near' and not Anywhere and PivotKind not in ('name', 'account', 'device')) as Strong,
        list_sort(list_filter(list_distinct(flatten(list(Names))), lambda Name: Name <> '')) as Names
    from Shown
    group by AlertId, PivotKind, Reach, Anywhere
),

Told as (
    select
        AlertId,
        bool_or(Strong) as Strong,
        string_agg(
            case PivotKind
                when 'sha256' then 'file by SHA256'
                when 'sha1' then 'file by SHA1'
                when 'path' then 'file by path'
                when 'command_line' then 'process by command line'
                when 'name' then 'file by name only'
                when 'ip' then 'address'
                when 'url' then 'URL'
                when 'registry_value' then 'registry value'
                when 'registry_key' then 'registry key'
                when 'account' then 'logons of the account'
                else 'activity of the device'
            end
            || if(Items > 1, ' (' || Items || ' items)', '')
            || if(len(Names) > 0, ' on ' || array_to_string(Names[:3], ', '), '')
            || if(len(Names) > 3, ' and ' || (len(Names) - 3) || ' more', '')
            || if(Anywhere, ', which the alert does not name', '')
            || if(Reach = 'wide', ', but only within a day', ''),
            '; '
            order by Reach asc, Rank asc, Anywhere asc
        ) as Pivots
    from Grouped
    group by AlertId
),

Sought as (
    select
        AlertId,
        count(*) as Leads,
        count(*) filter (where Kind = 'process') as Processes
    from Leads
    group by AlertId
),

Counted as (
    select
        AlertId,
        count(*) as Evidence,
        count(*) filter (where MatchTier in ('exact', 'precision', 'tolerance')) as Matched,
        count(*) filter (where MatchTier = 'exact') as Exact,
        count(*) filter (where MatchTier = 'precision') as Precise,
        count(*) filter (where MatchTier = 'tolerance') as Tolerated,
        count(*) filter (where MatchTier <> 'pivot' and Merged) as Merged,
        count(*) filter (where MatchTier = 'pivot') as Pivoted,
        count(*) filter (where Reason = 'ambiguous') as Ambiguous,
        count(*) filter (where Reason = 'incomplete_pull') as Unasked,
        count(*) filter (where Reason = 'incomplete_pull' or Provisional) as Incomplete,
        count(*) filter (where Reason = 'not_landed_yet') as Fresh,
        count(*) filter (where Reason in ('outside_retention', 'device_silent', 'no_match')) as Missed,
        count(*) filter (where Reason = 'outside_retention') as Gone,
        count(*) filter (where Reason = 'device_silent') as Silent,
        count(*) filter (where Reason = 'no_usable_key') as Unkeyed,
        sum(Events)::bigint as Events
    from Correlation
    group by AlertId
),

Judged as (
    select
        Alerts.*,
        Told.Pivots,
        coalesce(Counted.Evidence, 0) as Evidence,
        coalesce(Sought.Processes, 0) as Processes,
        coalesce(Counted.Matched, 0) as Matched,
        coalesce(Counted.Exact, 0) as Exact,
        coalesce(Counted.Precise, 0) as Precise,
        coalesce(Counted.Tolerated, 0) as Tolerated,
        coalesce(Counted.Merged, 0) as Merged,
        coalesce(Counted.Pivoted, 0) as Pivoted,
        coalesce(Counted.Ambiguous, 0) as Ambiguous,
        coalesce(Counted.Unasked, 0) as Unasked,
        coalesce(Counted.Incomplete, 0) as Incomplete,
        coalesce(Counted.Fresh, 0) as Fresh,
        coalesce(Counted.Missed, 0) as Missed,
        coalesce(Counted.Gone, 0) as Gone,
        coalesce(Counted.Silent, 0) as Silent,
        coalesce(Counted.Unkeyed, 0) as Unkeyed,
        coalesce(Counted.Events, 0) as Events,
        coalesce(Sought.Leads, 0) as Leads,
        case
            when Matched > 0 or coalesce(Told.Strong, false) then 'corroborated'
            when Incomplete + Fresh > 0 then 'pending'
            when Pivoted + Ambiguous > 0 then 'partly_corroborated'
            else 'uncorroborated'
        end as Verdict
    from Alerts
    left join Counted using (AlertId)
    left join Told using (AlertId)
    left join Sought using (AlertId)
),

Worded as (
    select
        *,
        case Matched
            when Exact then ' to 100 ns'
            when Precise then ' to the precision of the clock'
            when Tolerated then ' within the tolerance'
            else ': ' || concat_ws(
                ', ',
                if(Exact > 0, Exact || ' to 100 ns', null),
                if(Precise > 0, Precise || ' to the precision of the clock', null),
                if(Tolerated > 0, Tolerated || ' within the tolerance', null)
            )
        end
        || if(Merged > 0, ', ' || Merged || ' on a merged device', '') as Nearness,
        if(Processes = 1, ' process', ' processes') as Noun,
        Verdict = 'uncorroborated' as Nothing
    from Judged
)

select
    TenantId,
    AlertId,
    Title,
    Severity,
    Status,
    CreatedTime,
    Verdict,
    case
        when Evidence = 0 then 'lists no evidence'
        when Leads = 0 then 'names nothing that endpoint telemetry could show'
        else concat_ws(
            '; ',
            if(Matched > 0, Matched || ' of ' || Processes || Noun || ' seen' || Nearness, null),
            Pivots,
            if(Ambiguous > 0, Ambiguous || ' of ' || Processes || Noun || ' could be one of several', null),
            if(Incomplete > 0, 'the pull is not complete for ' || Incomplete || ' of ' || Leads, null),
            if(Fresh > 0, Fresh || ' of ' || Leads || ' may not have landed yet', null),
            if(Nothing, 'a complete pull shows none of the ' || Leads || ' that could be looked for', null),
            if(Nothing and Silent > 0, Silent || ' on devices that were silent then', null),
            if(Nothing and Gone > 0, Gone || ' older than hunting keeps', null)
        )
    end as Because,
    Evidence,
    Processes,
    Matched,
    Pivoted,
    Ambiguous,
    Unasked + Fresh as Open,
    Missed,
    Unkeyed,
    Events,
    IngestedAt,
    SourceRequestId
from Worded
order by AlertId
