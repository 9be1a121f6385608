-- Ancestors of matched processes that are named, but of whose creation there is no row.
-- Grain: AlertId, DeviceId, ProcessId, ProcessCreationTicks.
-- Inputs: Matches, AncestorLinks, Platforms, DeviceProcessEvents, Parameters (Above). Depth is bounded,
-- so that loops end.
with recursive Found as (
    select
        Matches.AlertId,
        Matches.DeviceId,
        Matches.ProcessId as Pid,
        Matches.InstanceTicks // Platforms.Coarse as Slot,
        null::bigint as Ticks,
        0 as Depth
    from Matches
    inner join Platforms using (DeviceId)
    where not Matches.Ambiguous
    union
    select
        Found.AlertId,
        Found.DeviceId,
        AncestorLinks.ParentPid as Pid,
        AncestorLinks.ParentSlot as Slot,
        AncestorLinks.ParentTicks as Ticks,
        Found.Depth + 1 as Depth
    from Found
    inner join AncestorLinks using (DeviceId, Pid, Slot)
    cross join Parameters
    where Found.Depth < Parameters.Above
),

Named as (
    select distinct
        Found.AlertId,
        Found.DeviceId,
        Found.Pid as ProcessId,
        Found.Ticks as ProcessCreationTicks,
        case
            when Platforms.Platform = 'linux' and Found.Ticks % 100000 <> 0 then 10
            else Platforms.Coarse
        end as Unit
    from Found
    inner join Platforms using (DeviceId)
    where Found.Depth > 0
)

select Named.*
from Named
anti join DeviceProcessEvents
    on
        Named.DeviceId = DeviceProcessEvents.DeviceId
        and Named.ProcessId = DeviceProcessEvents.ProcessId
        and Named.ProcessCreationTicks // Named.Unit
        = DeviceProcessEvents.ProcessCreationTicks // Named.Unit
order by Named.AlertId, Named.DeviceId, Named.ProcessCreationTicks, Named.ProcessId
