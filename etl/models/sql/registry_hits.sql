-- Events about the registry key or value that a lead names, whatever the spelling of the key.
-- Grain: AlertId, EvidenceId, EventTable, FileNumber, RowNumber. Inputs: Leads, RegistryPaths, PivotEvents.
-- Of key, value name and data all that the evidence knows must agree.
with Keys as (
    select
        Leads.*,
        RegistryPaths.Hive,
        RegistryPaths.Path
    from Leads
    left join RegistryPaths using (RegistryKey)
    where Leads.Kind in ('registry_key', 'registry_value')
),

Changes as (
    select
        PivotEvents.EventTable,
        PivotEvents.FileNumber,
        PivotEvents.RowNumber,
        PivotEvents.DeviceId,
        PivotEvents.TimestampTicks,
        RegistryPaths.Hive,
        RegistryPaths.Path,
        lower(PivotEvents.RegistryValueName) as ValueName,
        lower(PivotEvents.RegistryValueData) as ValueData
    from PivotEvents
    inner join RegistryPaths using (RegistryKey)
),

Hits as (
    select
        Keys.*,
        Changes.* exclude (Hive, Path)
    from Keys
    inner join Changes
        on
            Keys.Path = Changes.Path
            and (Keys.Hive is null or Changes.Hive is null or Keys.Hive = Changes.Hive)
    union all
    select
        Keys.*,
        Changes.* exclude (Hive, Path)
    from Keys
    inner join Changes
        on
            Keys.RegistryKey is null
            and coalesce(lower(Keys.RegistryValueName), lower(Keys.RegistryValueData))
            = if(Keys.RegistryValueName is null, Changes.ValueData, Changes.ValueName)
)

select
    AlertId,
    EvidenceId,
    EventTable,
    FileNumber,
    RowNumber,
    DeviceId,
    TimestampTicks,
    'subject' as MatchRole,
    false as Told,
    Kind as PivotKind
from Hits
where
    (len(Devices) = 0 or list_contains(Devices, DeviceId))
    and (RegistryValueName is null or lower(RegistryValueName) = ValueName)
    and (RegistryValueData is null or lower(RegistryValueData) = ValueData)
