-- Process keys that the evidence gives: device, pid, creation ticks, and how finely they are known.
-- Grain: Sighting, which is AlertId, EvidenceId, DeviceId. Inputs: Alerts, AlertEvidence, AlertDevices,
-- Platforms. Evidence that names no device is tried on each device of its alert. Pid 0 is nobody; pid 4
-- on Windows is System. Linux evidence is cut to 10 ms unless its digits say otherwise.
-- Where all times of a source, twenty at least, are whole milliseconds or more, the source writes no
-- finer, and may round.
with Placed as (
    select
        AlertEvidence.AlertId,
        AlertEvidence.EvidenceId,
        coalesce(nullif(AlertEvidence.KeySource, 'api'), Alerts.AlertSource) as Source,
        coalesce(AlertEvidence.DeviceId, AlertDevices.DeviceId) as DeviceId,
        AlertEvidence.ProcessId as Pid,
        AlertEvidence.ProcessCreationTicks as Ticks,
        lower(AlertEvidence.FileName) as FileName,
        lower(AlertEvidence.FolderPath) as FolderPath,
        lower(AlertEvidence.SHA1) as SHA1,
        lower(AlertEvidence.SHA256) as SHA256,
        AlertEvidence.ProcessCommandLine as CommandLine,
        lower(AlertEvidence.AccountName) as AccountName,
        AlertEvidence.ParentProcessId as ParentPid,
        AlertEvidence.ParentProcessCreationTicks as ParentTicks
    from AlertEvidence
    inner join Alerts using (AlertId)
    left join AlertDevices
        on
            AlertEvidence.AlertId = AlertDevices.AlertId
            and AlertEvidence.DeviceId is null
    where
        AlertEvidence.EvidenceType = 'processEvidence'
        and AlertEvidence.ProcessId > 0
        and AlertEvidence.ProcessCreationTicks is not null
),

Known as (
    select
        Placed.*,
        Platforms.Platform,
        coalesce(Platforms.Coarse, 1) as Coarse,
        case
            when Platforms.Platform = 'linux' and Placed.Ticks % 100000 = 0 then 100000
            when Platforms.Platform in ('linux', 'macos') then 10
            else 1
        end as Fine
    from Placed
    left join Platforms using (DeviceId)
    where
        Placed.DeviceId is not null
        and not (Placed.Pid = 4 and coalesce(Platforms.Platform, 'windows') = 'windows')
),

Sources as (
    select
        Source,
        Platform,
        case
            when count(distinct Ticks) < 20 then 1
            when bool_and(Ticks % 10000000 = 0) then 10000000
            when bool_and(Ticks % 10000 = 0) then 10000
            else 1
        end as Written
    from Known
    group by Source, Platform
)

select
    row_number() over (order by Known.AlertId, Known.EvidenceId, Known.DeviceId) as Sighting,
    Known.* exclude (Source, Fine),
    greatest(Known.Fine, Sources.Written) as Unit,
    Sources.Written > Known.Fine as Rounds
from Known
inner join Sources
    on
        Known.Source is not distinct from Sources.Source
        and Known.Platform is not distinct from Sources.Platform
