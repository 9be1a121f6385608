-- How coarsely telemetry writes creation times: learned from all that a table says in one role of devices
-- of one platform. Grain: EventTable, MatchRole, Platform. Inputs: EventKeys, Platforms.
-- Where all times, twenty at least, are whole milliseconds or seconds (Written, in ticks), the source
-- writes no finer, and may round. A source that writes finer has no row.
with Spoken as (
    select
        EventTable,
        DeviceId,
        bool_and(ProcessCreationTicks % 10000 = 0) filter (where ProcessId > 0) as Subjects,
        bool_and(InitiatingProcessCreationTicks % 10000 = 0) filter (where InitiatingProcessId > 0)
            as Initiators
    from EventKeys
    group by EventTable, DeviceId
),

Roles as (
    select
        EventTable,
        DeviceId,
        'subject' as MatchRole,
        Subjects as Whole
    from Spoken
    union all
    select
        EventTable,
        DeviceId,
        'initiator' as MatchRole,
        Initiators as Whole
    from Spoken
),

Coarse as (
    select
        Roles.EventTable,
        Roles.MatchRole,
        Platforms.Platform
    from Roles
    inner join Platforms using (DeviceId)
    group by Roles.EventTable, Roles.MatchRole, Platforms.Platform
    having bool_and(Roles.Whole)
),

Times as (
    select
        EventTable,
        'subject' as MatchRole,
        DeviceId,
        ProcessCreationTicks as Ticks
    from EventKeys
    where ProcessId > 0
    union all
    select
        EventTable,
        'initiator' as MatchRole,
        DeviceId,
        InitiatingProcessCreationTicks as Ticks
    from EventKeys
    where InitiatingProcessId > 0
)

select
    Coarse.EventTable,
    Coarse.MatchRole,
    Coarse.Platform,
    if(bool_and(Times.Ticks % 10000000 = 0), 10000000, 10000) as Written
from Times
inner join Platforms using (DeviceId)
inner join Coarse using (EventTable, MatchRole, Platform)
group by Coarse.EventTable, Coarse.MatchRole, Coarse.Platform
having count(distinct Times.Ticks) >= 20
