-- mart.CorrelatedAlerts: every telemetry event that belongs to an alert's evidence.
-- Grain: TenantId, AlertId, EvidenceId, EventTable, EventId.
-- Inputs: MatchedEvents, Alerts, AlertEvidence, Events. Instants are made of their ticks, the last digit
-- is cut.
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
    MatchedEvents.MatchTier,
    MatchedEvents.PivotKind,
    MatchedEvents.MatchRole,
    MatchedEvents.TimeDeltaTicks,
    Events.EventTable,
    Events.EventId,
    make_timestamptz(Events.TimestampTicks // 10 - 62135596800000000) as Timestamp,
    Events.ActionType,
    Events.DeviceId,
    Events.DeviceName,
    Events.ProcessId,
    make_timestamptz(Events.ProcessCreationTicks // 10 - 62135596800000000) as ProcessCreationTime,
    Events.ProcessCreationTicks,
    Events.ProcessCommandLine,
    Events.FileName,
    Events.FolderPath,
    Events.SHA1,
    Events.SHA256,
    Events.AccountName,
    Events.AccountSid,
    Events.InitiatingProcessId,
    make_timestamptz(Events.InitiatingProcessCreationTicks // 10 - 62135596800000000)
        as InitiatingProcessCreationTime,
    Events.InitiatingProcessCreationTicks,
    Events.InitiatingProcessFileName,
    Events.InitiatingProcessCommandLine,
    Events.RemoteIP,
    Events.RemotePort,
    Events.RemoteUrl,
    Events.RegistryKey,
    Events.RegistryValueName,
    Events.RegistryValueData,
    Events.ReportId,
    Events.AdditionalFields,
    Events.IngestedAt,
    Events.SourceRequestId
from MatchedEvents
inner join Events using (EventTable, FileNumber, RowNumber)
inner join Alerts using (AlertId)
inner join AlertEvidence using (AlertId, EvidenceId)
order by Alerts.AlertId, AlertEvidence.EvidenceId, Timestamp, Events.EventTable, Events.EventId
