-- The matched processes that an alert's matched processes are (Depth 0) or descend from.
-- Grain: AlertId, DeviceId, Pid, Slot. Inputs: AlertCorrelation, AlertEvidence, ProcessLinks, Platforms.
-- A slot is a creation time cut to what all namings of a process share. Depth is bounded, so that loops end.
with recursive Matched as (
    select
        AlertCorrelation.AlertId,
        AlertCorrelation.DeviceId,
        AlertCorrelation.ProcessId as Pid,
        AlertCorrelation.MatchedProcessCreationTicks // Platforms.Coarse as Slot,
        min(AlertEvidence.FileName) as FileName
    from AlertCorrelation
    inner join AlertEvidence using (AlertId, EvidenceId)
    inner join Platforms on AlertCorrelation.DeviceId = Platforms.DeviceId
    where AlertCorrelation.MatchedProcessCreationTicks is not null
    group by AlertCorrelation.AlertId, AlertCorrelation.DeviceId, Pid, Slot
),

Climbed as (
    select
        AlertId,
        DeviceId,
        Pid,
        Slot,
        0 as Depth
    from Matched
    union
    select
        Climbed.AlertId,
        Climbed.DeviceId,
        ProcessLinks.ParentPid as Pid,
        ProcessLinks.ParentSlot as Slot,
        Climbed.Depth + 1 as Depth
    from Climbed
    inner join ProcessLinks using (DeviceId, Pid, Slot)
    where Climbed.Depth < 32
),

Known as (
    select
        DeviceId,
        Pid,
        Slot,
        min(FileName) as FileName
    from Matched
    group by DeviceId, Pid, Slot
)

select
    Climbed.AlertId,
    Climbed.DeviceId,
    Climbed.Pid,
    Climbed.Slot,
    min(Climbed.Depth) as Depth,
    any_value(Known.FileName) as FileName
from Climbed
inner join Known using (DeviceId, Pid, Slot)
group by Climbed.AlertId, Climbed.DeviceId, Climbed.Pid, Climbed.Slot
