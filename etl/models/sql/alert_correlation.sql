-- mart.AlertCorrelation: every evidence item, its match, or the reason why there is none.
-- Grain: TenantId, AlertId, EvidenceId.
-- Inputs: Alerts, AlertEvidence, EvidenceKeys, Matches, MatchedEvents, SpeakingDevices (devices with
-- any event), Ledger (the day's hunting slices), Parameters (Landing and Retention: how long telemetry
-- takes to arrive and how long it is kept, in ticks).
-- Retention is the reason only where nothing as old was pulled of any device.
-- An incomplete pull is never presented as "no match".
with Keyed as (
    select
        AlertId,
        EvidenceId,
        min(DeviceId) as DeviceId,
        bool_or(DeviceId in (select DeviceId from SpeakingDevices)) as Speaking
    from EvidenceKeys
    group by AlertId, EvidenceId
),

Events as (
    select
        AlertId,
        EvidenceId,
        count(*) as Events
    from MatchedEvents
    group by AlertId, EvidenceId
),

Oldest as (select coalesce(min(OldestTicks), 9223372036854775807) as Ticks from SpeakingDevices),

Pull as (
    select
        coalesce(bool_or(Status <> 'complete'), true) as Incomplete,
        epoch_us(min(StartedAt)) * 10 + 621355968000000000 as StartedTicks
    from Ledger
)

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
    coalesce(Matches.DeviceId, AlertEvidence.DeviceId, Keyed.DeviceId) as DeviceId,
    AlertEvidence.ProcessId,
    AlertEvidence.ProcessCreationTicks,
    coalesce(Matches.MatchTier, 'none') as MatchTier,
    Matches.InstanceTicks as MatchedProcessCreationTicks,
    coalesce(Matches.Candidates, 0) as Candidates,
    coalesce(Events.Events, 0) as Events,
    case
        when Matches.MatchTier is not null then null
        when Keyed.AlertId is null then 'no_usable_key'
        when Matches.Ambiguous then 'ambiguous'
        when Pull.Incomplete then 'incomplete_pull'
        when
            AlertEvidence.ProcessCreationTicks < Pull.StartedTicks - Parameters.Retention
            and AlertEvidence.ProcessCreationTicks < Oldest.Ticks
            then 'outside_retention'
        when AlertEvidence.ProcessCreationTicks > Pull.StartedTicks - Parameters.Landing then 'not_landed_yet'
        when not Keyed.Speaking then 'device_silent'
        else 'no_match'
    end as Reason,
    AlertEvidence.IngestedAt,
    AlertEvidence.SourceRequestId
from AlertEvidence
inner join Alerts using (AlertId)
left join Keyed using (AlertId, EvidenceId)
left join Matches using (AlertId, EvidenceId)
left join Events using (AlertId, EvidenceId)
cross join Pull
cross join Oldest
cross join Parameters
order by Alerts.AlertId, AlertEvidence.EvidenceId
