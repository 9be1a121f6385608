-- Events that name the address or the URL of a lead.
-- Grain: AlertId, EvidenceId, EventTable, FileNumber, RowNumber, PivotKind. Inputs: Leads, PivotEvents.
-- A URL is that of the event, with or without its scheme, or its host alone; or where a file came from.
with Urls as (
    select
        AlertId,
        EvidenceId,
        Devices,
        lower(RemoteUrl) as Url,
        regexp_replace(Url, '^[a-z][a-z0-9+.-]*://', '') as Bare,
        regexp_extract(Bare, '^(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)', 1) as Host
    from Leads
    where Kind = 'url'
),

Spellings as (
    select distinct
        AlertId,
        EvidenceId,
        Devices,
        unnest([Url, Bare, Host]) as Spelling
    from Urls
),

Hits as (
    select
        Leads.AlertId,
        Leads.EvidenceId,
        Leads.Devices,
        'ip' as PivotKind,
        PivotEvents.EventTable,
        PivotEvents.FileNumber,
        PivotEvents.RowNumber,
        PivotEvents.DeviceId,
        PivotEvents.TimestampTicks
    from Leads
    inner join PivotEvents
        on
            Leads.Kind = 'ip'
            and lower(Leads.RemoteIP) = lower(PivotEvents.RemoteIP)
    union
    select
        Spellings.AlertId,
        Spellings.EvidenceId,
        Spellings.Devices,
        'url' as PivotKind,
        PivotEvents.EventTable,
        PivotEvents.FileNumber,
        PivotEvents.RowNumber,
        PivotEvents.DeviceId,
        PivotEvents.TimestampTicks
    from Spellings
    inner join PivotEvents
        on
            Spellings.Spelling <> ''
            and Spellings.Spelling = lower(PivotEvents.RemoteUrl)
    union
    select
        Urls.AlertId,
        Urls.EvidenceId,
        Urls.Devices,
        'url' as PivotKind,
        PivotEvents.EventTable,
        PivotEvents.FileNumber,
        PivotEvents.RowNumber,
        PivotEvents.DeviceId,
        PivotEvents.TimestampTicks
    from Urls
    inner join PivotEvents on Urls.Url = lower(PivotEvents.FileOriginUrl)
)

select
    AlertId,
    EvidenceId,
    EventTable,
    FileNumber,
    RowNumber,
    DeviceId,
    TimestampTicks,
    'subject' as MatchRole,
    false as Told,
    PivotKind
from Hits
where len(Devices) = 0 or list_contains(Devices, DeviceId)
