-- mart.AlertCorrelation: every evidence item, its match, or the reason why there is none.
-- Grain: TenantId, AlertId, EvidenceId.
-- Inputs: Alerts, AlertEvidence, Leads, Matches, MatchedEvents, Pivots, SpeakingDevices (hours in which
-- devices were alive), Oldest, Ledger (the day's hunting slices), Hunts (what was asked for single items),
-- Parameters (Landing and Retention: how long telemetry takes to arrive and how long it is kept; Near: how
-- far around an alert to look; all in ticks).
-- Silent: none of its devices was alive within Near of the process's creation, else of the activity.
-- Retention is the reason only where nothing as old was pulled of any device.
-- Provisional: matched far from the activity, while not all that is near has come.
-- Of hunts with one reach the latest counts. An incomplete pull is never presented as "no match".
-- Because holds words of ours and numbers only, nothing that comes from outside.
with Events as (
    select
        AlertId,
        EvidenceId,
        count(*) as Events
    from MatchedEvents
    group by AlertId, EvidenceId
),

Found as (
    select
        AlertId,
        EvidenceId,
        arg_min(PivotKind, Rank) as PivotKind,
        any_value(Reach) as Reach,
        any_value(Merged) as Merged,
        if(count(distinct DeviceId) = 1, min(DeviceId), null) as DeviceId
    from Pivots
    group by AlertId, EvidenceId
),

Spoken as (
    select distinct
        Placed.AlertId,
        Placed.EvidenceId
    from (
        select
            AlertId,
            EvidenceId,
            unnest(Devices) as DeviceId,
            if(Kind = 'process', ProcessCreationTicks, StartTicks) as StartTicks,
            if(Kind = 'process', ProcessCreationTicks, EndTicks) as EndTicks
        from Leads
    ) as Placed
    cross join Parameters
    inner join SpeakingDevices
        on
            Placed.DeviceId = SpeakingDevices.DeviceId
            and Placed.StartTicks - Parameters.Near <= SpeakingDevices.LastTicks
            and Placed.EndTicks + Parameters.Near >= SpeakingDevices.FirstTicks
),

Sought as (
    select
        Leads.*,
        Leads.Kind = 'process' as Keyed,
        len(Leads.Devices) > 0 and Spoken.AlertId is null as Silent
    from Leads
    left join Spoken using (AlertId, EvidenceId)
),

Asked as (
    select distinct
        AlertId,
        EvidenceId
    from (
        select *
        from Hunts
        where EvidenceId is not null
        qualify rank() over (partition by AlertId, EvidenceId, Reach order by HuntedAt desc) = 1
    ) as Latest
    where Status <> 'complete'
),

Pull as (
    select
        coalesce(bool_or(Status <> 'complete'), true) as Incomplete,
        epoch_us(min(StartedAt)) * 10 + 621355968000000000 as StartedTicks
    from Ledger
),

Times as (
    select
        Sought.AlertId,
        Sought.EvidenceId,
        if(
            Sought.Keyed,
            greatest(
                Sought.ProcessCreationTicks,
                if(coalesce(Alerts.FirstActivityTime, Alerts.LastActivityTime) is null, 0, Sought.EndTicks)
            ),
            Sought.EndTicks
        )
        > Pull.StartedTicks - Parameters.Landing as Fresh,
        if(Sought.Keyed, Sought.ProcessCreationTicks, Sought.EndTicks + Parameters.Near) as Latest,
        Latest < Pull.StartedTicks - Parameters.Retention
        and Latest < coalesce(Oldest.Ticks, 9223372036854775807) as Gone
    from Sought
    inner join Alerts using (AlertId)
    cross join Pull
    cross join Oldest
    cross join Parameters
),

Decided as (
    select
        Alerts.TenantId,
        Alerts.AlertId,
        AlertEvidence.EvidenceId,
        Alerts.Title,
        Alerts.Severity,
        Alerts.Status,
        Alerts.CreatedTime,
        AlertEvidence.EvidenceType,
        AlertEvidence.EntityType,
        coalesce(
            Matches.DeviceId,
            AlertEvidence.DeviceId,
            Found.DeviceId,
            if(Sought.Keyed, Sought.Devices[1], null)
        ) as DeviceId,
        AlertEvidence.ProcessId,
        AlertEvidence.ProcessCreationTicks,
        case
            when Matches.MatchTier is not null then Matches.MatchTier
            when Found.AlertId is not null then 'pivot'
            else 'none'
        end as MatchTier,
        Found.PivotKind,
        Matches.InstanceTicks as MatchedProcessCreationTicks,
        coalesce(Matches.Candidates, 0) as Candidates,
        coalesce(Events.Events, 0) as Events,
        case
            when Matches.MatchTier is not null or Found.AlertId is not null then null
            when Sought.AlertId is null then 'no_usable_key'
            when Matches.Ambiguous then 'ambiguous'
            when Pull.Incomplete or Asked.AlertId is not null then 'incomplete_pull'
            when Times.Fresh then 'not_landed_yet'
            when AlertEvidence.EntityType = 'Process' and not Sought.Keyed then 'no_usable_key'
            when Times.Gone then 'outside_retention'
            when Sought.Silent then 'device_silent'
            else 'no_match'
        end as Reason,
        coalesce(Found.Reach = 'wide', false)
        and (Pull.Incomplete or Asked.AlertId is not null) as Provisional,
        Found.Reach,
        coalesce(Matches.Merged, Found.Merged, false) as Merged,
        Matches.Decisive,
        Matches.CoarserUnit,
        Matches.Distance,
        Matches.Agree,
        Matches.DecidedBy,
        AlertEvidence.IngestedAt,
        AlertEvidence.SourceRequestId
    from AlertEvidence
    inner join Alerts using (AlertId)
    left join Sought using (AlertId, EvidenceId)
    left join Times using (AlertId, EvidenceId)
    left join Matches using (AlertId, EvidenceId)
    left join Found using (AlertId, EvidenceId)
    left join Events using (AlertId, EvidenceId)
    left join Asked using (AlertId, EvidenceId)
    cross join Pull
)

select
    Decided.* exclude (Reach, Decisive, CoarserUnit, Distance, Agree, DecidedBy),
    case
        when Decided.MatchTier = 'pivot'
            then
                replace(Decided.PivotKind, '_', ' ')
                || if(Decided.Reach = 'near', ' near', ' within a day of')
                || ' the activity'
        when Decided.Decisive
            then if(Decided.Merged, '', 'device, ') || 'process id and creation time are equal'
        when Decided.Merged or Decided.MatchTier in ('exact', 'precision')
            then
                'equal once cut to '
                || case Decided.CoarserUnit
                    when 10 then '1 µs'
                    when 10000 then '1 ms'
                    when 100000 then '10 ms'
                    else '1 s'
                end
        when Decided.MatchTier = 'tolerance'
            then 'the nearest creation time, ' || Decided.Distance / 10000 || ' ms away'
        when Decided.Reason = 'no_usable_key'
            then 'it names no process with its creation time, nor anything else that events hold'
        when Decided.Reason = 'ambiguous'
            then Decided.Candidates || ' processes may be meant, and nothing tells them apart'
        when Decided.Reason = 'not_landed_yet' then 'its telemetry may still arrive'
        when Decided.Reason = 'outside_retention' then 'it is older than what hunting keeps'
        when Decided.Reason = 'device_silent' then 'its device gave no sign of life around that time'
        when Decided.Reason = 'incomplete_pull' then 'not all that was asked for has come'
        else 'all that was asked for came, and shows nothing of it'
    end
    || if(Decided.Merged, ', on a device that was merged with it', '')
    || case
        when len(Decided.DecidedBy) > 0
            then
                '; of '
                || Decided.Candidates
                || ' processes told by '
                || array_to_string(Decided.DecidedBy, ', ')
        when not Decided.Decisive and len(Decided.Agree) > 0
            then
                '; '
                || array_to_string(Decided.Agree, ', ')
                || if(len(Decided.Agree) > 1, ' agree', ' agrees')
        else ''
    end as Because
from Decided
