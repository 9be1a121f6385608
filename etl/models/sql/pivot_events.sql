-- What pivots may find in events, within the widest reach of any lead. Read once, as many ask.
-- Grain: EventTable, FileNumber, RowNumber. Inputs: AllEvents, Leads, Parameters (Wide, in ticks).
-- Nothing is read where every lead goes by a process key.
with Reach as (
    select
        min(Leads.StartTicks - Parameters.Wide) as Earliest,
        max(Leads.EndTicks + Parameters.Wide) as Latest
    from Leads
    cross join Parameters
    where Leads.Kind <> 'process'
    having count(*) > 0
)

select
    EventTable,
    FileNumber,
    RowNumber,
    DeviceId,
    DeviceName,
    TimestampTicks,
    SHA1,
    SHA256,
    FolderPath,
    FileName,
    ProcessCommandLine,
    InitiatingProcessSHA1,
    InitiatingProcessSHA256,
    InitiatingProcessFolderPath,
    InitiatingProcessFileName,
    InitiatingProcessCommandLine,
    RemoteIP,
    RemoteUrl,
    FileOriginUrl,
    RegistryKey,
    RegistryValueName,
    RegistryValueData,
    AccountSid,
    AccountName,
    AccountDomain
from AllEvents
inner join Reach on AllEvents.TimestampTicks >= Reach.Earliest and AllEvents.TimestampTicks <= Reach.Latest
