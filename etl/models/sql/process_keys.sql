-- The mentions, in events, of processes that evidence may mean: as the one that an event is about (subject)
-- or as the one that caused it (initiator).
-- Grain: EventTable, FileNumber, RowNumber, MatchRole. Inputs: EventKeys, EvidenceKeys, Platforms,
-- EventSources, Parameters (Tolerance and Around, in ticks: what is further from all evidence decides
-- nothing).
-- Half keys and pid 0 are none. An own row is the creation row of DeviceProcessEvents.
-- Unit is the precision in ticks: Windows 100 ns, macOS 1 us, Linux 1 us in a process's own row and
-- 10 ms wherever else the process is named; coarser where the source writes no finer, and may round.
with Mentioned as (
    select
        EventTable,
        FileNumber,
        RowNumber,
        'subject' as MatchRole,
        DeviceId,
        ProcessId as Pid,
        ProcessCreationTicks as Ticks
    from EventKeys
    where ProcessCreationTicks is not null and ProcessId > 0
    union all
    select
        EventTable,
        FileNumber,
        RowNumber,
        'initiator' as MatchRole,
        DeviceId,
        InitiatingProcessId as Pid,
        InitiatingProcessCreationTicks as Ticks
    from EventKeys
    where InitiatingProcessCreationTicks is not null and InitiatingProcessId > 0
),

Known as (
    select
        Mentioned.*,
        Mentioned.EventTable = 'DeviceProcessEvents' and Mentioned.MatchRole = 'subject' as OwnRow,
        Platforms.Platform,
        Platforms.Coarse,
        case
            when Platforms.Platform = 'windows' then 1
            when Platforms.Platform = 'macos' then 10
            when OwnRow or Mentioned.Ticks % 100000 <> 0 then 10
            else 100000
        end as Fine
    from Mentioned
    inner join Platforms using (DeviceId)
    semi join EvidenceKeys
        on
            Mentioned.DeviceId = EvidenceKeys.DeviceId
            and Mentioned.Pid = EvidenceKeys.Pid
),

Spans as (
    select
        EvidenceKeys.DeviceId,
        EvidenceKeys.Pid,
        EvidenceKeys.Ticks - Parameters.Tolerance - Parameters.Around as Earliest,
        EvidenceKeys.Ticks + Parameters.Tolerance + Parameters.Around as Latest
    from EvidenceKeys
    cross join Parameters
)

select
    Known.* exclude (Fine),
    greatest(Known.Fine, coalesce(EventSources.Written, 1)) as Unit,
    coalesce(EventSources.Written > Known.Fine, false) as Rounds
from Known
left join EventSources using (EventTable, MatchRole, Platform)
semi join Spans
    on
        Known.DeviceId = Spans.DeviceId
        and Known.Pid = Spans.Pid
        and Known.Ticks >= Spans.Earliest
        and Known.Ticks <= Spans.Latest
