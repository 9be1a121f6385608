-- What events say of the processes that they name, for what keys leave open.
-- Grain: EventTable, FileNumber, RowNumber, MatchRole. Inputs: the event tables, Doubts.
-- In a creation row the initiator is the parent; the initiator's own parent is another column.
with Doubtful as (
    select
        'DeviceProcessEvents' as EventTable,
        FileNumber,
        RowNumber,
        FileName,
        FolderPath,
        SHA1,
        SHA256,
        ProcessCommandLine,
        AccountName,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessFileName,
        InitiatingProcessFolderPath,
        InitiatingProcessSHA1,
        InitiatingProcessSHA256,
        InitiatingProcessCommandLine,
        InitiatingProcessAccountName,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceProcessEvents
    semi join rows_of('Doubts', 'DeviceProcessEvents') using (FileNumber, RowNumber)
    union all by name
    select
        'DeviceNetworkEvents' as EventTable,
        FileNumber,
        RowNumber,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessFileName,
        InitiatingProcessFolderPath,
        InitiatingProcessSHA1,
        InitiatingProcessSHA256,
        InitiatingProcessCommandLine,
        InitiatingProcessAccountName,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceNetworkEvents
    semi join rows_of('Doubts', 'DeviceNetworkEvents') using (FileNumber, RowNumber)
    union all by name
    select
        'DeviceFileEvents' as EventTable,
        FileNumber,
        RowNumber,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessFileName,
        InitiatingProcessFolderPath,
        InitiatingProcessSHA1,
        InitiatingProcessSHA256,
        InitiatingProcessCommandLine,
        InitiatingProcessAccountName,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceFileEvents
    semi join rows_of('Doubts', 'DeviceFileEvents') using (FileNumber, RowNumber)
    union all by name
    select
        'DeviceRegistryEvents' as EventTable,
        FileNumber,
        RowNumber,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessFileName,
        InitiatingProcessFolderPath,
        InitiatingProcessSHA1,
        InitiatingProcessSHA256,
        InitiatingProcessCommandLine,
        InitiatingProcessAccountName,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceRegistryEvents
    semi join rows_of('Doubts', 'DeviceRegistryEvents') using (FileNumber, RowNumber)
    union all by name
    select
        'DeviceImageLoadEvents' as EventTable,
        FileNumber,
        RowNumber,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessFileName,
        InitiatingProcessFolderPath,
        InitiatingProcessSHA1,
        InitiatingProcessSHA256,
        InitiatingProcessCommandLine,
        InitiatingProcessAccountName,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceImageLoadEvents
    semi join rows_of('Doubts', 'DeviceImageLoadEvents') using (FileNumber, RowNumber)
    union all by name
    select
        'DeviceLogonEvents' as EventTable,
        FileNumber,
        RowNumber,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessFileName,
        InitiatingProcessFolderPath,
        InitiatingProcessSHA1,
        InitiatingProcessSHA256,
        InitiatingProcessCommandLine,
        InitiatingProcessAccountName,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceLogonEvents
    semi join rows_of('Doubts', 'DeviceLogonEvents') using (FileNumber, RowNumber)
    union all by name
    select
        'DeviceEvents' as EventTable,
        FileNumber,
        RowNumber,
        FileName,
        FolderPath,
        SHA1,
        SHA256,
        ProcessCommandLine,
        AccountName,
        InitiatingProcessId,
        InitiatingProcessCreationTicks,
        InitiatingProcessFileName,
        InitiatingProcessFolderPath,
        InitiatingProcessSHA1,
        InitiatingProcessSHA256,
        InitiatingProcessCommandLine,
        InitiatingProcessAccountName,
        InitiatingProcessParentId,
        InitiatingProcessParentCreationTicks
    from DeviceEvents
    semi join rows_of('Doubts', 'DeviceEvents') using (FileNumber, RowNumber)
)

select
    EventTable,
    FileNumber,
    RowNumber,
    'subject' as MatchRole,
    lower(FileName) as FileName,
    lower(FolderPath) as FolderPath,
    lower(SHA1) as SHA1,
    lower(SHA256) as SHA256,
    ProcessCommandLine as CommandLine,
    lower(AccountName) as AccountName,
    InitiatingProcessId as ParentPid,
    InitiatingProcessCreationTicks as ParentTicks
from Doubtful
union all
select
    EventTable,
    FileNumber,
    RowNumber,
    'initiator' as MatchRole,
    lower(InitiatingProcessFileName) as FileName,
    lower(InitiatingProcessFolderPath) as FolderPath,
    lower(InitiatingProcessSHA1) as SHA1,
    lower(InitiatingProcessSHA256) as SHA256,
    InitiatingProcessCommandLine as CommandLine,
    lower(InitiatingProcessAccountName) as AccountName,
    InitiatingProcessParentId as ParentPid,
    InitiatingProcessParentCreationTicks as ParentTicks
from Doubtful
