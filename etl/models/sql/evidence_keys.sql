-- Process keys that the evidence gives: device, pid, creation ticks, and how finely they are known.
-- Grain: Sighting, which is AlertId, EvidenceId, DeviceId. Inputs: Alerts, AlertEvidence, AlertDevices,
-- DeviceAliases, DeviceFamilies, Platforms, EvidenceSources. Evidence that names no device is tried on each
-- device of its alert; all is tried on what was merged with its devices as well (Merged). Pid 0 is nobody;
-- pid 4 on Windows is System.
-- Linux evidence is cut to 10 ms unless its digits say otherwise.
with Placed as (
    select
        AlertEvidence.AlertId,
        AlertEvidence.EvidenceId,
        coalesce(nullif(AlertEvidence.KeySource, 'api'), Alerts.AlertSource) as Source,
        coalesce(AlertEvidence.DeviceId, AlertDevices.DeviceId) as DeviceId,
        coalesce(DeviceFamilies.Family, 'windows') as Family,
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
    left join DeviceFamilies
        on coalesce(AlertEvidence.DeviceId, AlertDevices.DeviceId) = DeviceFamilies.DeviceId
    where
        AlertEvidence.EvidenceType = 'processEvidence'
        and AlertEvidence.ProcessId > 0
        and AlertEvidence.ProcessCreationTicks is not null
),

Spread as (
    select
        *,
        false as Merged
    from Placed
    union all
    select
        Placed.* replace (DeviceAliases.OtherId as DeviceId),
        true as Merged
    from Placed
    inner join DeviceAliases using (DeviceId)
),

Known as (
    select
        Spread.*,
        Platforms.Platform,
        coalesce(Platforms.Coarse, 1) as Coarse,
        case
            when Platforms.Platform = 'linux' and Spread.Ticks % 100000 = 0 then 100000
            when Platforms.Platform in ('linux', 'macos') then 10
            else 1
        end as Fine
    from Spread
    left join Platforms using (DeviceId)
    where
        Spread.DeviceId is not null
        and not (Spread.Pid = 4 and coalesce(Platforms.Platform, 'windows') = 'windows')
    qualify
        row_number() over (
            partition by Spread.AlertId, Spread.EvidenceId, Spread.DeviceId order by Spread.Merged
        ) = 1
)

select
    row_number() over (order by Known.AlertId, Known.EvidenceId, Known.DeviceId) as Sighting,
    Known.* exclude (Source, Family, Fine),
    greatest(Known.Fine, coalesce(EvidenceSources.Written, 1)) as Unit,
    coalesce(EvidenceSources.Written > Known.Fine, false) as Rounds
from Known
left join EvidenceSources
    on
        Known.Source is not distinct from EvidenceSources.Source
        and Known.Family = EvidenceSources.Family
