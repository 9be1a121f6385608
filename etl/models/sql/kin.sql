-- The processes near each alert's matched ones, and how near.
-- Grain: AlertId, DeviceId, Pid, Ticks. Inputs: Matches, Lineage, Parameters (Above, Below).
-- Depth is 0 for a matched process, else positive for what one started, else negative for who started
-- one; the nearest counts.
with recursive Upwards as (
    select distinct
        AlertId,
        DeviceId,
        ProcessId as Pid,
        InstanceTicks as Ticks,
        0 as Depth
    from Matches
    where not Ambiguous
    union
    select
        Upwards.AlertId,
        Upwards.DeviceId,
        Lineage.ParentPid as Pid,
        Lineage.ParentTicks as Ticks,
        Upwards.Depth - 1 as Depth
    from Upwards
    inner join Lineage using (DeviceId, Pid, Ticks)
    cross join Parameters
    where -Upwards.Depth < Parameters.Above
),

Downwards as (
    select *
    from Upwards
    where Depth = 0
    union
    select
        Downwards.AlertId,
        Downwards.DeviceId,
        Lineage.Pid,
        Lineage.Ticks,
        Downwards.Depth + 1 as Depth
    from Downwards
    inner join Lineage
        on
            Downwards.DeviceId = Lineage.DeviceId
            and Downwards.Pid = Lineage.ParentPid
            and Downwards.Ticks = Lineage.ParentTicks
    cross join Parameters
    where Downwards.Depth < Parameters.Below
),

Found as (
    select * from Upwards
    union
    select * from Downwards
)

select
    AlertId,
    DeviceId,
    Pid,
    Ticks,
    coalesce(min(Depth) filter (where Depth >= 0), max(Depth)) as Depth
from Found
group by AlertId, DeviceId, Pid, Ticks
