-- Process keys that the evidence gives: device, pid, creation ticks, and how finely they are known.
-- Grain: AlertId, EvidenceId, DeviceId. Inputs: AlertEvidence, AlertDevices, Platforms.
-- Evidence that names no device is tried on each device of its alert. Pid 0 is nobody; pid 4 on
-- Windows is System. Linux evidence is cut to 10 ms unless its digits say otherwise.
with Placed as (
    select
        AlertEvidence.AlertId,
        AlertEvidence.EvidenceId,
        coalesce(AlertEvidence.DeviceId, AlertDevices.DeviceId) as DeviceId,
        AlertEvidence.ProcessId,
        AlertEvidence.ProcessCreationTicks,
        AlertEvidence.FileName,
        AlertEvidence.SHA1,
        AlertEvidence.SHA256
    from AlertEvidence
    left join AlertDevices
        on
            AlertEvidence.AlertId = AlertDevices.AlertId
            and AlertEvidence.DeviceId is null
    where
        AlertEvidence.EvidenceType = 'processEvidence'
        and AlertEvidence.ProcessId > 0
        and AlertEvidence.ProcessCreationTicks is not null
)

select
    Placed.*,
    Platforms.Platform,
    case
        when Platforms.Platform = 'linux' and Placed.ProcessCreationTicks % 100000 = 0 then 100000
        when Platforms.Platform in ('linux', 'macos') then 10
        else 1
    end as Unit
from Placed
left join Platforms using (DeviceId)
where
    Placed.DeviceId is not null
    and not (Placed.ProcessId = 4 and coalesce(Platforms.Platform, 'windows') = 'windows')
