-- Every event's process keys, for the processes that evidence names: whom it is about, who caused it.
-- Grain: EventTable, EventId, MatchRole. Inputs: EventKeys (all events' keys), EvidenceKeys, Platforms.
-- Unit is the precision in ticks: Windows 100 ns, macOS 1 us, Linux 1 us in a process's own row and
-- 10 ms wherever else the process is named. An own row is the creation row of DeviceProcessEvents.
select
    EventKeys.*,
    EventKeys.EventTable = 'DeviceProcessEvents' and EventKeys.MatchRole = 'subject' as OwnRow,
    case
        when Platforms.Platform = 'windows' then 1
        when Platforms.Platform = 'macos' then 10
        when OwnRow or EventKeys.Ticks % 100000 <> 0 then 10
        else 100000
    end as Unit
from EventKeys
inner join Platforms using (DeviceId)
semi join EvidenceKeys
    on
        EventKeys.DeviceId = EvidenceKeys.DeviceId
        and EventKeys.Pid = EvidenceKeys.ProcessId
