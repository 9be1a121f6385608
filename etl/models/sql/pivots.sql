-- Events that belong to evidence without a process key: the nearest in time and the best known.
-- Grain: AlertId, EvidenceId, EventTable, FileNumber, RowNumber.
-- Inputs: FileHits, NetworkHits, RegistryHits, AccountHits, Leads, PivotEvents, Parameters (Near and
-- Wide: how far around the alert's activity to look, in ticks).
-- The evidence's own devices go before those merged with them (Merged), and what is near before what is
-- far; where any event has the evidence's command line, only those count.
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
        PivotEvents.FileNumber,
        PivotEvents.RowNumber,
        PivotEvents.DeviceId,
        PivotEvents.TimestampTicks,
        'subject' as MatchRole,
        false as Told,
        'device' as PivotKind
    from (
        select
            AlertId,
            EvidenceId,
            unnest(Devices) as DeviceId
        from Leads
        where Kind = 'device'
    ) as Leads
    inner join PivotEvents using (DeviceId)
),

Placed as (
    select
        Hits.*,
        len(Leads.Devices) = 0 as Anywhere,
        coalesce(list_position(Leads.Devices, Hits.DeviceId) > Leads.Own, false) as Merged,
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
    qualify rank() over (partition by AlertId, EvidenceId order by Merged, Reach) = 1
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
    FileNumber,
    RowNumber,
    DeviceId,
    MatchRole,
    PivotKind,
    Rank,
    Reach,
    Anywhere,
    Merged
from Told
qualify row_number() over (
    partition by AlertId, EvidenceId, EventTable, FileNumber, RowNumber
    order by Rank asc, MatchRole desc
) = 1
