-- The process keys of every event, and what it says of the process: whom it is about (subject), who
-- caused it (initiator).
-- Grain: EventTable, EventId, MatchRole. Input: ScopedEvents. Half keys and pid 0 are none.
-- In a creation row the initiator is the parent; the initiator's own parent is another column.
select
    EventTable,
    EventId,
    'subject' as MatchRole,
    DeviceId,
    ProcessId as Pid,
    ProcessCreationTicks as Ticks,
    FileName,
    FolderPath,
    SHA1,
    SHA256,
    ProcessCommandLine as CommandLine,
    AccountName,
    InitiatingProcessId as ParentPid,
    InitiatingProcessCreationTicks as ParentTicks
from ScopedEvents
where
    EventTable in ('DeviceProcessEvents', 'DeviceEvents')
    and ProcessCreationTicks is not null
    and ProcessId > 0
union all
select
    EventTable,
    EventId,
    'initiator' as MatchRole,
    DeviceId,
    InitiatingProcessId as Pid,
    InitiatingProcessCreationTicks as Ticks,
    InitiatingProcessFileName as FileName,
    InitiatingProcessFolderPath as FolderPath,
    InitiatingProcessSHA1 as SHA1,
    InitiatingProcessSHA256 as SHA256,
    InitiatingProcessCommandLine as CommandLine,
    InitiatingProcessAccountName as AccountName,
    InitiatingProcessParentId as ParentPid,
    InitiatingProcessParentCreationTicks as ParentTicks
from ScopedEvents
where InitiatingProcessCreationTicks is not null and InitiatingProcessId > 0
