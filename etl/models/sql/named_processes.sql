-- Which process each naming means. Grain: Naming. Inputs: Mentions, KnownProcesses, Platforms.
-- Where the time is whole, the known process of that time. Where it is cut (Linux, 10 ms), one of the
-- same file among those of that pid and slot, by the command line, then by the parent, if several; the
-- initiator of a creation row is the last one before it. What that leaves open is a process of its own
-- that nobody has seen start, or nobody where a known process has that very key.
with Namings as (
    select Naming
    from Mentions
    where Naming is not null
    union
    select Parent as Naming
    from Mentions
    where Parent is not null
),

Placed as (
    select
        Namings.Naming,
        Namings.Naming.DeviceId,
        Namings.Naming.Pid,
        Namings.Naming.Ticks,
        Platforms.Coarse,
        if(Namings.Naming.Ticks % Platforms.Coarse = 0, Platforms.Coarse, least(Platforms.Coarse, 10)) as Unit
    from Namings
    inner join Platforms on Namings.Naming.DeviceId = Platforms.DeviceId
),

Compared as (
    select
        Placed.Naming,
        Known.Ticks,
        Placed.Unit <= 10 as Whole,
        coalesce(
            lower(Placed.Naming.SHA256) = lower(Known.SHA256),
            lower(Placed.Naming.SHA1) = lower(Known.SHA1),
            lower(Placed.Naming.FileName) = lower(Known.FileName),
            true
        ) as SameFile,
        coalesce(Placed.Naming.CommandLine = Known.CommandLine, false) as SameCommand,
        coalesce(
            Placed.Naming.ParentPid = Known.ParentPid
            and Placed.Naming.ParentTicks // Placed.Coarse = Known.ParentSlot,
            false
        ) as SameParent
    from Placed
    inner join KnownProcesses as Known
        on
            Placed.DeviceId = Known.DeviceId
            and Placed.Pid = Known.Pid
            and Placed.Ticks // Placed.Unit = Known.Ticks // Placed.Unit
),

Best as (
    select *
    from Compared
    where Whole or (SameFile and coalesce(Ticks < Naming.Before, true))
    qualify rank() over (
        partition by Naming
        order by SameCommand desc, SameParent desc, if(Naming.Before is null, 0, Ticks) desc
    ) = 1
),

Meant as (
    select
        Naming,
        min(Ticks) as Ticks
    from Best
    group by Naming
    having count(*) = 1
)

select
    Placed.Naming,
    Placed.DeviceId,
    Placed.Pid,
    coalesce(Meant.Ticks, if(Known.Pid is null, Placed.Ticks, null)) as Ticks
from Placed
left join Meant using (Naming)
left join KnownProcesses as Known
    on
        Placed.DeviceId = Known.DeviceId
        and Placed.Pid = Known.Pid
        and Placed.Ticks = Known.Ticks
