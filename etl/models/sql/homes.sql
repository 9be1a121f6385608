-- Which instance each mention of a process belongs to; a mention that could be of two has no home.
-- Grain: EventTable, EventId, MatchRole. Inputs: ProcessKeys, Instances.
select
    ProcessKeys.EventTable,
    ProcessKeys.EventId,
    ProcessKeys.MatchRole,
    ProcessKeys.DeviceId,
    ProcessKeys.Pid,
    ProcessKeys.Ticks,
    ProcessKeys.Unit,
    any_value(Instances.Ticks) as InstanceTicks
from ProcessKeys
inner join Instances
    on
        ProcessKeys.DeviceId = Instances.DeviceId
        and ProcessKeys.Pid = Instances.Pid
        and case
            when ProcessKeys.OwnRow then ProcessKeys.Ticks = Instances.Ticks
            else
                ProcessKeys.Ticks // greatest(ProcessKeys.Unit, Instances.Unit)
                = Instances.Ticks // greatest(ProcessKeys.Unit, Instances.Unit)
        end
group by
    ProcessKeys.EventTable,
    ProcessKeys.EventId,
    ProcessKeys.MatchRole,
    ProcessKeys.DeviceId,
    ProcessKeys.Pid,
    ProcessKeys.Ticks,
    ProcessKeys.Unit
having count(distinct Instances.Ticks) = 1
