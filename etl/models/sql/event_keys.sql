-- The process keys of every event: the process it is about (subject), the one that caused it (initiator).
-- Grain: EventTable, EventId, MatchRole. Inputs: the event tables. Half keys and pid 0 are none.
select
    'DeviceProcessEvents' as EventTable,
    EventId,
    'subject' as MatchRole,
    DeviceId,
    ProcessId as Pid,
    ProcessCreationTicks as Ticks,
    FileName,
    SHA1,
    SHA256
from DeviceProcessEvents
where ProcessCreationTicks is not null and ProcessId > 0
union all
select
    'DeviceEvents' as EventTable,
    EventId,
    'subject' as MatchRole,
    DeviceId,
    ProcessId as Pid,
    ProcessCreationTicks as Ticks,
    FileName,
    SHA1,
    SHA256
from DeviceEvents
where ProcessCreationTicks is not null and ProcessId > 0
union all
select
    'DeviceProcessEvents' as EventTable,
    EventId,
    'initiator' as MatchRole,
    DeviceId,
    InitiatingProcessId as Pid,
    InitiatingProcessCreationTicks as Ticks,
    InitiatingProcessFileName,
    InitiatingProcessSHA1,
    InitiatingProcessSHA256
from DeviceProcessEvents
where InitiatingProcessCreationTicks is not null and InitiatingProcessId > 0
union all
select
    'DeviceNetworkEvents' as EventTable,
    EventId,
    'initiator' as MatchRole,
    DeviceId,
    InitiatingProcessId as Pid,
    InitiatingProcessCreationTicks as Ticks,
    InitiatingProcessFileName,
    InitiatingProcessSHA1,
    InitiatingProcessSHA256
from DeviceNetworkEvents
where InitiatingProcessCreationTicks is not null and InitiatingProcessId > 0
union all
select
    'DeviceFileEvents' as EventTable,
    EventId,
    'initiator' as MatchRole,
    DeviceId,
    InitiatingProcessId as Pid,
    InitiatingProcessCreationTicks as Ticks,
    InitiatingProcessFileName,
    InitiatingProcessSHA1,
    InitiatingProcessSHA256
from DeviceFileEvents
where InitiatingProcessCreationTicks is not null and InitiatingProcessId > 0
union all
select
    'DeviceRegistryEvents' as EventTable,
    EventId,
    'initiator' as MatchRole,
    DeviceId,
    InitiatingProcessId as Pid,
    InitiatingProcessCreationTicks as Ticks,
    InitiatingProcessFileName,
    InitiatingProcessSHA1,
    InitiatingProcessSHA256
from DeviceRegistryEvents
where InitiatingProcessCreationTicks is not null and InitiatingProcessId > 0
union all
select
    'DeviceImageLoadEvents' as EventTable,
    EventId,
    'initiator' as MatchRole,
    DeviceId,
    InitiatingProcessId as Pid,
    InitiatingProcessCreationTicks as Ticks,
    InitiatingProcessFileName,
    InitiatingProcessSHA1,
    InitiatingProcessSHA256
from DeviceImageLoadEvents
where InitiatingProcessCreationTicks is not null and InitiatingProcessId > 0
union all
select
    'DeviceLogonEvents' as EventTable,
    EventId,
    'initiator' as MatchRole,
    DeviceId,
    InitiatingProcessId as Pid,
    InitiatingProcessCreationTicks as Ticks,
    InitiatingProcessFileName,
    InitiatingProcessSHA1,
    InitiatingProcessSHA256
from DeviceLogonEvents
where InitiatingProcessCreationTicks is not null and InitiatingProcessId > 0
union all
select
    'DeviceEvents' as EventTable,
    EventId,
    'initiator' as MatchRole,
    DeviceId,
    InitiatingProcessId as Pid,
    InitiatingProcessCreationTicks as Ticks,
    InitiatingProcessFileName,
    InitiatingProcessSHA1,
    InitiatingProcessSHA256
from DeviceEvents
where InitiatingProcessCreationTicks is not null and InitiatingProcessId > 0
