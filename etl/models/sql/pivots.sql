-- Events that belong to evidence without a process key: the nearest in time and the best known.
-- Grain: AlertId, EvidenceId, EventTable, EventId.
-- Inputs: FileHits, NetworkHits, RegistryHits, AccountHits, Leads, PivotEvents, Parameters (Near and
-- Wide: how far around the alert's activity to look, in ticks).
-- What is near goes before what is far; where any event has the evidence's command line, only those count.
with Hits as (
    select * from FileHits
    union all
    select * from NetworkHits
    union all
    select * from RegistryHits
    union all
    select * from AccountHits
    union all
    select
        Leads.AlertId,
        Leads.EvidenceId,
        PivotEvents.EventTable,
        PivotEvents.EventId,
        PivotEvents.DeviceId,
        PivotEvents.TimestampTicks,
        'subject' as MatchRole,
        false as Told,
        'device' as PivotKind
    from Leads
    inner join PivotEvents
        on
            Leads.Kind = 'device'
            and Leads.Devices[1] = PivotEvents.DeviceId
),

Placed as (
    select
        Hits.*,
        len(Leads.Devices) = 0 as Anywhere,
        if(
            Hits.TimestampTicks
            between Leads.StartTicks - Parameters.Near and Leads.EndTicks + Parameters.Near,
            'near',
            'wide'
        ) as Reach,
        list_position(
            [
                'sha256', 'sha1', 'path', 'command_line', 'name',
                'ip', 'url', 'registry_value', 'registry_key', 'account', 'device'
            ],
            Hits.PivotKind
        ) as Rank
    from Hits
    inner join Leads using (AlertId, EvidenceId)
    cross join Parameters
    where
        Hits.TimestampTicks between Leads.StartTicks - Parameters.Wide and Leads.EndTicks + Parameters.Wide
),

Nearest as (
    select *
    from Placed
    where not (PivotKind = 'device' and Reach = 'wide')
    qualify rank() over (partition by AlertId, EvidenceId order by Reach) = 1
),

Told as (
    select *
    from Nearest
    qualify rank() over (partition by AlertId, EvidenceId order by Told desc) = 1
)

select
    AlertId,
    EvidenceId,
    EventTable,
    EventId,
    DeviceId,
    MatchRole,
    PivotKind,
    Rank,
    Reach,
    Anywhere
from Told
qualify row_number() over (
    partition by AlertId, EvidenceId, EventTable, EventId order by Rank asc, MatchRole desc
) = 1
