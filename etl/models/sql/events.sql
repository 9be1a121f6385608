-- The matched events of all tables, as far as mart.CorrelatedAlerts tells of them; what a table lacks is
-- null. Grain: EventTable, FileNumber, RowNumber. Inputs: the event tables, MatchedEvents. Of each instant
-- only the ticks are read, which tell it.
select -- noqa: AM07
    'DeviceProcessEvents' as EventTable,
    FileNumber,
    RowNumber,
    EventId,
    TimestampTicks,
    ActionType,
    DeviceId,
    DeviceName,
    ProcessId,
    ProcessCreationTicks,
    ProcessCommandLine,
    FileName,
    FolderPath,
    SHA1,
    SHA256,
    AccountName,
    AccountSid,
    InitiatingProcessId,
    InitiatingProcessCreationTicks,
    InitiatingProcessFileName,
    InitiatingProcessCommandLine,
    ReportId,
    AdditionalFields,
    IngestedAt,
    SourceRequestId
from DeviceProcessEvents
semi join rows_of('MatchedEvents', 'DeviceProcessEvents') using (FileNumber, RowNumber)
union all by name
select
    'DeviceNetworkEvents' as EventTable,
    FileNumber,
    RowNumber,
    EventId,
    TimestampTicks,
    ActionType,
    DeviceId,
    DeviceName,
    InitiatingProcessId,
    InitiatingProcessCreationTicks,
    InitiatingProcessFileName,
    InitiatingProcessCommandLine,
    RemoteIP,
    RemotePort,
    RemoteUrl,
    ReportId,
    AdditionalFields,
    IngestedAt,
    SourceRequestId
from DeviceNetworkEvents
semi join rows_of('MatchedEvents', 'DeviceNetworkEvents') using (FileNumber, RowNumber)
union all by name
select
    'DeviceFileEvents' as EventTable,
    FileNumber,
    RowNumber,
    EventId,
    TimestampTicks,
    ActionType,
    DeviceId,
    DeviceName,
    FileName,
    FolderPath,
    SHA1,
    SHA256,
    InitiatingProcessId,
    InitiatingProcessCreationTicks,
    InitiatingProcessFileName,
    InitiatingProcessCommandLine,
    ReportId,
    AdditionalFields,
    IngestedAt,
    SourceRequestId
from DeviceFileEvents
semi join rows_of('MatchedEvents', 'DeviceFileEvents') using (FileNumber, RowNumber)
union all by name
select
    'DeviceRegistryEvents' as EventTable,
    FileNumber,
    RowNumber,
    EventId,
    TimestampTicks,
    ActionType,
    DeviceId,
    DeviceName,
    InitiatingProcessId,
    InitiatingProcessCreationTicks,
    InitiatingProcessFileName,
    InitiatingProcessCommandLine,
    RegistryKey,
    RegistryValueName,
    RegistryValueData,
    ReportId,
    IngestedAt,
    SourceRequestId
from DeviceRegistryEvents
semi join rows_of('MatchedEvents', 'DeviceRegistryEvents') using (FileNumber, RowNumber)
union all by name
select
    'DeviceImageLoadEvents' as EventTable,
    FileNumber,
    RowNumber,
    EventId,
    TimestampTicks,
    ActionType,
    DeviceId,
    DeviceName,
    FileName,
    FolderPath,
    SHA1,
    SHA256,
    InitiatingProcessId,
    InitiatingProcessCreationTicks,
    InitiatingProcessFileName,
    InitiatingProcessCommandLine,
    ReportId,
    IngestedAt,
    SourceRequestId
from DeviceImageLoadEvents
semi join rows_of('MatchedEvents', 'DeviceImageLoadEvents') using (FileNumber, RowNumber)
union all by name
select
    'DeviceLogonEvents' as EventTable,
    FileNumber,
    RowNumber,
    EventId,
    TimestampTicks,
    ActionType,
    DeviceId,
    DeviceName,
    AccountName,
    AccountSid,
    InitiatingProcessId,
    InitiatingProcessCreationTicks,
    InitiatingProcessFileName,
    InitiatingProcessCommandLine,
    RemoteIP,
    RemotePort,
    ReportId,
    AdditionalFields,
    IngestedAt,
    SourceRequestId
from DeviceLogonEvents
semi join rows_of('MatchedEvents', 'DeviceLogonEvents') using (FileNumber, RowNumber)
union all by name
select
    'DeviceEvents' as EventTable,
    FileNumber,
    RowNumber,
    EventId,
    TimestampTicks,
    ActionType,
    DeviceId,
    DeviceName,
    ProcessId,
    ProcessCreationTicks,
    ProcessCommandLine,
    FileName,
    FolderPath,
    SHA1,
    SHA256,
    AccountName,
    AccountSid,
    InitiatingProcessId,
    InitiatingProcessCreationTicks,
    InitiatingProcessFileName,
    InitiatingProcessCommandLine,
    RemoteIP,
    RemotePort,
    RemoteUrl,
    RegistryKey,
    RegistryValueName,
    RegistryValueData,
    ReportId,
    AdditionalFields,
    IngestedAt,
    SourceRequestId
from DeviceEvents
semi join rows_of('MatchedEvents', 'DeviceEvents') using (FileNumber, RowNumber)
