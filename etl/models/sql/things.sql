-- What events name: files, command lines, addresses, hosts of URLs, accounts.
-- Grain: EventTable, EventId, MatchRole, Kind, Name. Input: AllEvents.
-- Subject: what an event is about; initiator: the program that caused it. A file's name is its SHA256,
-- else its SHA1; Alias is its SHA1, by which others may name it.
with Named as (
    select
        EventTable,
        EventId,
        DeviceId,
        TimestampTicks,
        'subject' as MatchRole,
        'file' as Kind,
        lower(coalesce(nullif(SHA256, ''), SHA1)) as Name,
        lower(SHA1) as Alias
    from AllEvents
    union all
    select
        EventTable,
        EventId,
        DeviceId,
        TimestampTicks,
        'initiator' as MatchRole,
        'file' as Kind,
        lower(coalesce(nullif(InitiatingProcessSHA256, ''), InitiatingProcessSHA1)) as Name,
        lower(InitiatingProcessSHA1) as Alias
    from AllEvents
    union all
    select
        EventTable,
        EventId,
        DeviceId,
        TimestampTicks,
        'subject' as MatchRole,
        'command_line' as Kind,
        ProcessCommandLine as Name,
        null as Alias
    from AllEvents
    union all
    select
        EventTable,
        EventId,
        DeviceId,
        TimestampTicks,
        'initiator' as MatchRole,
        'command_line' as Kind,
        InitiatingProcessCommandLine as Name,
        null as Alias
    from AllEvents
    union all
    select
        EventTable,
        EventId,
        DeviceId,
        TimestampTicks,
        'subject' as MatchRole,
        'address' as Kind,
        regexp_replace(lower(RemoteIP), '^::ffff:([0-9.]+)$', '\1') as Name,
        null as Alias
    from AllEvents
    union all
    select
        EventTable,
        EventId,
        DeviceId,
        TimestampTicks,
        'subject' as MatchRole,
        'url' as Kind,
        regexp_extract(lower(RemoteUrl), '^(?:[a-z][a-z0-9+.-]*://)?(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)', 1)
            as Name,
        null as Alias
    from AllEvents
    union all
    select
        EventTable,
        EventId,
        DeviceId,
        TimestampTicks,
        'subject' as MatchRole,
        'account' as Kind,
        lower(
            coalesce(
                nullif(AccountSid, ''),
                if(AccountName <> '', concat_ws('\', nullif(AccountDomain, ''), AccountName), null)
            )
        ) as Name,
        null as Alias
    from AllEvents
    union all
    select
        EventTable,
        EventId,
        DeviceId,
        TimestampTicks,
        'initiator' as MatchRole,
        'account' as Kind,
        lower(
            coalesce(
                nullif(InitiatingProcessAccountSid, ''),
                if(
                    InitiatingProcessAccountName <> '',
                    concat_ws('\', nullif(InitiatingProcessAccountDomain, ''), InitiatingProcessAccountName),
                    null
                )
            )
        ) as Name,
        null as Alias
    from AllEvents
)

select *
from Named
where Name <> ''
