-- The process keys of every event: the process it is about (subject), the one that caused it (initiator).
-- Grain: EventTable, EventId, MatchRole. Input: AllEvents. Half keys and pid 0 are none.
select
    EventTable,
    EventId,
    'subject' as MatchRole,
    DeviceId,
    ProcessId as Pid,
    ProcessCreationTicks as Ticks,
    FileName,
    SHA1,
    SHA256
from AllEvents
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
    InitiatingProcessSHA1 as SHA1,
    InitiatingProcessSHA256 as SHA256
from AllEvents
where InitiatingProcessCreationTicks is not null and InitiatingProcessId > 0
