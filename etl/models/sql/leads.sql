-- What each evidence item can be looked for by; an item that names nothing to look for has no lead.
-- Grain: AlertId, EvidenceId. Inputs: Alerts, AlertEvidence, AlertDevices, DeviceAliases, EvidenceKeys,
-- Platforms. Devices are the evidence's own, else its alert's (the first Own of them), then those merged
-- with these; none means any. Start and end are the alert's activity. Unit is how finely to look: creation
-- times that agree once cut to it may be one process.
-- A device is a lead only where its alert has none but accounts, as custom detections have.
with Activity as (
    select
        AlertId,
        epoch_us(coalesce(least(FirstActivityTime, LastActivityTime), CreatedTime)) as StartMicros,
        epoch_us(coalesce(greatest(FirstActivityTime, LastActivityTime), CreatedTime)) as EndMicros
    from Alerts
),

Named as (
    select
        AlertId,
        list(distinct DeviceId order by DeviceId) as Devices
    from AlertDevices
    group by AlertId
),

Keyed as (
    select
        EvidenceKeys.AlertId,
        EvidenceKeys.EvidenceId,
        list(EvidenceKeys.DeviceId order by EvidenceKeys.DeviceId) filter (where not EvidenceKeys.Merged)
            as Devices,
        max(Platforms.Coarse) as Unit
    from EvidenceKeys
    left join Platforms using (DeviceId)
    group by EvidenceKeys.AlertId, EvidenceKeys.EvidenceId
),

Facts as (
    select
        AlertId,
        EvidenceId,
        EntityType,
        DeviceId,
        ProcessId,
        ProcessCreationTicks,
        nullif(lower(trim(SHA1)), '') as SHA1,
        nullif(lower(trim(SHA256)), '') as SHA256,
        nullif(FileName, '') as FileName,
        nullif(ProcessCommandLine, '') as ProcessCommandLine,
        if(regexp_matches(FolderPath, '[/\\]'), FolderPath, null) as FolderPath,
        if(trim(RemoteIP) = '', null, RemoteIP) as RemoteIP,
        if(trim(RemoteUrl) = '', null, RemoteUrl) as RemoteUrl,
        nullif(RegistryKey, '') as RegistryKey,
        nullif(RegistryValueName, '') as RegistryValueName,
        nullif(RegistryValueData, '') as RegistryValueData,
        if(trim(AccountSid) = '', null, AccountSid) as AccountSid,
        if(trim(AccountName) = '', null, AccountName) as AccountName,
        if(trim(AccountDomain) = '', null, AccountDomain) as AccountDomain
    from AlertEvidence
),

Typed as (
    select
        Facts.*,
        Keyed.Devices as KeyDevices,
        Keyed.Unit,
        case
            when Keyed.AlertId is not null then 'process'
            when
                Facts.EntityType in ('Process', 'File')
                and coalesce(
                    Facts.SHA256, Facts.SHA1, Facts.FolderPath, Facts.FileName, Facts.ProcessCommandLine
                ) is not null
                then 'file'
            when Facts.EntityType = 'Ip' and Facts.RemoteIP is not null then 'ip'
            when Facts.EntityType = 'Url' and Facts.RemoteUrl is not null then 'url'
            when
                Facts.EntityType = 'RegistryValue'
                and coalesce(Facts.RegistryValueName, Facts.RegistryValueData) is not null
                then 'registry_value'
            when
                Facts.EntityType in ('RegistryKey', 'RegistryValue')
                and Facts.RegistryKey is not null
                then 'registry_key'
            when
                Facts.EntityType = 'User'
                and coalesce(Facts.AccountSid, Facts.AccountName) is not null
                then 'account'
            when Facts.EntityType = 'Machine' and Facts.DeviceId is not null then 'device'
        end as Kind
    from Facts
    left join Keyed using (AlertId, EvidenceId)
),

Sorted as (
    select
        Typed.*,
        coalesce(
            Typed.KeyDevices,
            if(Typed.DeviceId is null, Named.Devices, [Typed.DeviceId]),
            []
        ) as Devices
    from Typed
    left join Named using (AlertId)
    where Typed.Kind is not null
),

Merged as (
    select
        Placed.AlertId,
        Placed.EvidenceId,
        list(distinct DeviceAliases.OtherId order by DeviceAliases.OtherId) as Devices
    from (
        select
            AlertId,
            EvidenceId,
            Devices,
            unnest(Devices) as DeviceId
        from Sorted
    ) as Placed
    inner join DeviceAliases using (DeviceId)
    where not list_contains(Placed.Devices, DeviceAliases.OtherId)
    group by Placed.AlertId, Placed.EvidenceId
)

select
    Sorted.AlertId,
    Sorted.EvidenceId,
    Sorted.Kind,
    Sorted.Devices || coalesce(Merged.Devices, []) as Devices,
    len(Sorted.Devices) as Own,
    Activity.StartMicros * 10 + 621355968000000000 as StartTicks,
    Activity.EndMicros * 10 + 621355968000000000 as EndTicks,
    if(Sorted.Kind = 'process', Sorted.ProcessId, null) as ProcessId,
    if(Sorted.Kind = 'process', Sorted.ProcessCreationTicks, null) as ProcessCreationTicks,
    Sorted.Unit,
    if(Sorted.Kind in ('process', 'file'), Sorted.SHA1, null) as SHA1,
    if(Sorted.Kind in ('process', 'file'), Sorted.SHA256, null) as SHA256,
    if(Sorted.Kind in ('process', 'file'), Sorted.FileName, null) as FileName,
    if(Sorted.Kind in ('process', 'file'), Sorted.FolderPath, null) as FolderPath,
    if(Sorted.Kind in ('process', 'file'), Sorted.ProcessCommandLine, null) as ProcessCommandLine,
    if(Sorted.Kind = 'ip', Sorted.RemoteIP, null) as RemoteIP,
    if(Sorted.Kind = 'url', Sorted.RemoteUrl, null) as RemoteUrl,
    if(Sorted.Kind like 'registry%', Sorted.RegistryKey, null) as RegistryKey,
    if(Sorted.Kind = 'registry_value', Sorted.RegistryValueName, null) as RegistryValueName,
    if(Sorted.Kind = 'registry_value', Sorted.RegistryValueData, null) as RegistryValueData,
    if(Sorted.Kind = 'account', Sorted.AccountSid, null) as AccountSid,
    if(Sorted.Kind = 'account', Sorted.AccountName, null) as AccountName,
    if(Sorted.Kind = 'account', Sorted.AccountDomain, null) as AccountDomain
from Sorted
inner join Activity using (AlertId)
left join Merged using (AlertId, EvidenceId)
qualify
    Sorted.Kind <> 'device'
    or not bool_or(Sorted.Kind not in ('device', 'account')) over (partition by Sorted.AlertId)
