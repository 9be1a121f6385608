-- How coarsely sources of alerts write creation times: learned from all that a source says of devices of
-- one family; those without are taken for Windows.
-- Grain: Source, Family. Inputs: Alerts, AlertEvidence, AlertDevices, DeviceFamilies.
-- Where all times of a source, twenty at least, are whole milliseconds or seconds (Written, in ticks), the
-- source writes no finer, and may round. A source that writes finer has no row.
with Times as (
    select
        coalesce(nullif(AlertEvidence.KeySource, 'api'), Alerts.AlertSource) as Source,
        coalesce(DeviceFamilies.Family, 'windows') as Family,
        AlertEvidence.ProcessCreationTicks as Ticks
    from AlertEvidence
    inner join Alerts using (AlertId)
    left join AlertDevices
        on
            AlertEvidence.AlertId = AlertDevices.AlertId
            and AlertEvidence.DeviceId is null
    left join DeviceFamilies
        on coalesce(AlertEvidence.DeviceId, AlertDevices.DeviceId) = DeviceFamilies.DeviceId
    where
        AlertEvidence.EvidenceType = 'processEvidence'
        and AlertEvidence.ProcessId > 0
        and AlertEvidence.ProcessCreationTicks is not null
)

select
    Source,
    Family,
    if(bool_and(Ticks % 10000000 = 0), 10000000, 10000) as Written
from Times
group by Source, Family
having bool_and(Ticks % 10000 = 0) and count(distinct Ticks) >= 20
