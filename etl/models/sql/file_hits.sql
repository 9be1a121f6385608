-- Events that a file lead may mean, by the best fact that both sides know.
-- Grain: AlertId, EvidenceId, EventTable, FileNumber, RowNumber, MatchRole. Inputs: Leads, FileFacts.
-- A path says nothing where both sides know hashes that differ, a name nothing beside a path or a hash.
-- Told: the event's process has the very command line that the evidence names.
with Files as (
    select
        *,
        coalesce(SHA256, SHA1) is not null as Hashed
    from Leads
    where Kind = 'file'
),

Hits as (
    select
        Files.AlertId,
        Files.EvidenceId,
        'sha256' as Fact,
        Files.Devices,
        Files.ProcessCommandLine as Wanted,
        FileFacts.*
    from Files
    inner join FileFacts on Files.SHA256 = FileFacts.SHA256
    union all
    select
        Files.AlertId,
        Files.EvidenceId,
        'sha1' as Fact,
        Files.Devices,
        Files.ProcessCommandLine as Wanted,
        FileFacts.*
    from Files
    inner join FileFacts on Files.SHA1 = FileFacts.SHA1
    union all
    select
        Files.AlertId,
        Files.EvidenceId,
        'path' as Fact,
        Files.Devices,
        Files.ProcessCommandLine as Wanted,
        FileFacts.*
    from Files
    inner join FileFacts
        on
            lower(Files.FolderPath) = FileFacts.Path
            and not (Files.Hashed and coalesce(FileFacts.SHA256, FileFacts.SHA1) is not null)
    union all
    select
        Files.AlertId,
        Files.EvidenceId,
        'name' as Fact,
        Files.Devices,
        Files.ProcessCommandLine as Wanted,
        FileFacts.*
    from Files
    inner join FileFacts
        on
            lower(Files.FileName) = FileFacts.Name
            and not Files.Hashed
            and Files.FolderPath is null
    union all
    select
        Files.AlertId,
        Files.EvidenceId,
        'command_line' as Fact,
        Files.Devices,
        Files.ProcessCommandLine as Wanted,
        FileFacts.*
    from Files
    inner join FileFacts
        on
            Files.ProcessCommandLine = FileFacts.CommandLine
            and coalesce(Files.SHA256, Files.SHA1, Files.FolderPath, Files.FileName) is null
)

select
    AlertId,
    EvidenceId,
    EventTable,
    FileNumber,
    RowNumber,
    DeviceId,
    TimestampTicks,
    MatchRole,
    coalesce(CommandLine = Wanted, false) as Told,
    if(Fact = 'name' and Told, 'command_line', Fact) as PivotKind
from Hits
where len(Devices) = 0 or list_contains(Devices, DeviceId)
qualify row_number() over (
    partition by AlertId, EvidenceId, EventTable, FileNumber, RowNumber, MatchRole
    order by list_position(['sha256', 'sha1', 'path', 'name', 'command_line'], Fact)
) = 1
