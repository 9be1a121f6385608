-- Events that must be asked what else they say of a process, as keys alone leave open whom evidence means.
-- Grain: EventTable, FileNumber, RowNumber. Inputs: EvidenceKeys, ProcessKeys, Parameters (Tolerance and
-- Around, in ticks). Keys alone tell where all that name a pid know times so finely that equal ones leave
-- no doubt, no two times are near one another, and the evidence is about one device.
with Times as (
    select
        DeviceId,
        Pid,
        Ticks,
        Unit
    from EvidenceKeys
    union
    select
        DeviceId,
        Pid,
        Ticks,
        Unit
    from ProcessKeys
),

Spaced as (
    select
        Times.DeviceId,
        Times.Pid,
        Times.Unit > 10
        or coalesce(
            Times.Ticks - lag(Times.Ticks) over (partition by Times.DeviceId, Times.Pid order by Times.Ticks)
            <= Parameters.Tolerance + Parameters.Around,
            false
        ) as Doubtful
    from Times
    cross join Parameters
),

Tried as (
    select
        DeviceId,
        Pid
    from EvidenceKeys
    qualify count(*) over (partition by AlertId, EvidenceId) > 1
),

Doubtful as (
    select
        DeviceId,
        Pid
    from Spaced
    where Doubtful
    union
    select
        DeviceId,
        Pid
    from Tried
)

select distinct
    EventTable,
    FileNumber,
    RowNumber
from ProcessKeys
semi join Doubtful using (DeviceId, Pid)
