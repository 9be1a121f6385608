-- How coarsely telemetry writes creation times: learned from all that a table says in one role of devices
-- of one platform. Grain: EventTable, MatchRole, Platform. Inputs: EventKeys, Platforms.
-- Where all times, twenty at least, are whole milliseconds or seconds (Written, in ticks), the source
-- writes no finer, and may round. A source that writes finer has no row.
with Times as (
    select
        EventTable,
        'subject' as MatchRole,
        DeviceId,
        ProcessCreationTicks as Ticks
    from EventKeys
    where ProcessCreationTicks is not null and ProcessId > 0
    union all
    select
        EventTable,
        'initiator' as MatchRole,
        DeviceId,
        InitiatingProcessCreationTicks as Ticks
    from EventKeys
    where InitiatingProcessCreationTicks is not null and InitiatingProcessId > 0
),

Whole as (
    select
        Times.EventTable,
        Times.MatchRole,
        Platforms.Platform,
        bool_and(Times.Ticks % 10000000 = 0) as Seconds
    from Times
    inner join Platforms using (DeviceId)
    group by Times.EventTable, Times.MatchRole, Platforms.Platform
    having bool_and(Times.Ticks % 10000 = 0)
)

select
    Whole.EventTable,
    Whole.MatchRole,
    Whole.Platform,
    if(any_value(Whole.Seconds), 10000000, 10000) as Written
from Times
inner join Platforms using (DeviceId)
inner join Whole using (EventTable, MatchRole, Platform)
group by Whole.EventTable, Whole.MatchRole, Whole.Platform
having count(distinct Times.Ticks) >= 20
