-- The files that events name: the one an event is about (subject), the program that caused it.
-- Grain: EventTable, FileNumber, RowNumber, MatchRole. Inputs: PivotEvents, Leads. Only what a lead may mean.
-- A bare name counts only where the evidence knows nothing better of its file; a command line without
-- one likewise.
with Named as (
    select
        EventTable,
        FileNumber,
        RowNumber,
        DeviceId,
        TimestampTicks,
        'subject' as MatchRole,
        lower(SHA256) as SHA256,
        lower(SHA1) as SHA1,
        lower(FolderPath) as Path,
        lower(FileName) as Name,
        ProcessCommandLine as CommandLine
    from PivotEvents
    where EventTable in ('DeviceProcessEvents', 'DeviceFileEvents', 'DeviceImageLoadEvents', 'DeviceEvents')
    union all
    select
        EventTable,
        FileNumber,
        RowNumber,
        DeviceId,
        TimestampTicks,
        'initiator' as MatchRole,
        lower(InitiatingProcessSHA256) as SHA256,
        lower(InitiatingProcessSHA1) as SHA1,
        lower(InitiatingProcessFolderPath) as Path,
        lower(InitiatingProcessFileName) as Name,
        InitiatingProcessCommandLine as CommandLine
    from PivotEvents
),

Files as (select * from Leads where Kind = 'file')

select *
from Named
where
    SHA256 in (select SHA256 from Files where SHA256 is not null)
    or SHA1 in (select SHA1 from Files where SHA1 is not null)
    or Path in (select lower(FolderPath) from Files where FolderPath is not null)
    or Name in (
        select lower(FileName)
        from Files
        where FileName is not null and coalesce(SHA256, SHA1, FolderPath) is null
    )
    or CommandLine in (
        select ProcessCommandLine
        from Files
        where ProcessCommandLine is not null and coalesce(SHA256, SHA1, FolderPath, FileName) is null
    )
