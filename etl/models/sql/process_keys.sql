-- The mentions, in events, of processes that evidence names by device and pid.
-- Grain: EventTable, EventId, MatchRole. Inputs: EventKeys, EvidenceKeys, Platforms.
-- Unit is the precision in ticks: Windows 100 ns, macOS 1 us, Linux 1 us in a process's own row and
-- 10 ms wherever else the process is named; coarser where all times of a source are, twenty at least,
-- which may then be rounded. An own row is the creation row of DeviceProcessEvents.
with Known as (
    select
        EventKeys.EventTable,
        EventKeys.EventId,
        EventKeys.MatchRole,
        EventKeys.DeviceId,
        EventKeys.Pid,
        EventKeys.Ticks,
        lower(EventKeys.FileName) as FileName,
        lower(EventKeys.FolderPath) as FolderPath,
        lower(EventKeys.SHA1) as SHA1,
        lower(EventKeys.SHA256) as SHA256,
        EventKeys.CommandLine,
        lower(EventKeys.AccountName) as AccountName,
        EventKeys.ParentPid,
        EventKeys.ParentTicks,
        EventKeys.EventTable = 'DeviceProcessEvents' and EventKeys.MatchRole = 'subject' as OwnRow,
        Platforms.Platform,
        Platforms.Coarse,
        case
            when Platforms.Platform = 'windows' then 1
            when Platforms.Platform = 'macos' then 10
            when OwnRow or EventKeys.Ticks % 100000 <> 0 then 10
            else 100000
        end as Fine
    from EventKeys
    inner join Platforms using (DeviceId)
    semi join EvidenceKeys
        on
            EventKeys.DeviceId = EvidenceKeys.DeviceId
            and EventKeys.Pid = EvidenceKeys.Pid
),

Sources as (
    select
        EventTable,
        MatchRole,
        Platform,
        case
            when count(distinct Ticks) < 20 then 1
            when bool_and(Ticks % 10000000 = 0) then 10000000
            when bool_and(Ticks % 10000 = 0) then 10000
            else 1
        end as Written
    from Known
    group by EventTable, MatchRole, Platform
)

select
    Known.* exclude (Fine),
    greatest(Known.Fine, Sources.Written) as Unit,
    Sources.Written > Known.Fine as Rounds
from Known
inner join Sources using (EventTable, MatchRole, Platform)
