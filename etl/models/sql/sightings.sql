-- The processes that events mention: mentions of one process by one kind of source are one sighting.
-- Grain: Sighting, which is DeviceId, Pid, Ticks, OwnRow and, where times are coarse, all that is said of
-- the process: exec may have put several programs into one coarse time.
-- Inputs: ProcessKeys, Facts (of those that keys leave open). What a mention does not say is what all
-- others of its time say alike.
with Parted as (
    select
        ProcessKeys.*,
        Facts.FileName,
        Facts.FolderPath,
        Facts.SHA1,
        Facts.SHA256,
        Facts.CommandLine,
        Facts.AccountName,
        if(
            Facts.ParentPid > 0 and Facts.ParentTicks is not null,
            { 'Pid': Facts.ParentPid, 'Ticks': Facts.ParentTicks },
            null
        ) as Parent
    from ProcessKeys
    left join Facts using (EventTable, FileNumber, RowNumber, MatchRole)
),

Filled as (
    select
        * replace (
            coalesce(
                FileName,
                if(min(FileName) over Alike = max(FileName) over Alike, min(FileName) over Alike, null)
            )
                as FileName,
            coalesce(
                FolderPath,
                if(min(FolderPath) over Alike = max(FolderPath) over Alike, min(FolderPath) over Alike, null)
            ) as FolderPath,
            coalesce(SHA1, if(min(SHA1) over Alike = max(SHA1) over Alike, min(SHA1) over Alike, null))
                as SHA1,
            coalesce(
                SHA256, if(min(SHA256) over Alike = max(SHA256) over Alike, min(SHA256) over Alike, null)
            )
                as SHA256,
            coalesce(
                CommandLine,
                if(
                    min(CommandLine) over Alike = max(CommandLine) over Alike,
                    min(CommandLine) over Alike,
                    null
                )
            ) as CommandLine,
            coalesce(
                AccountName,
                if(
                    min(AccountName) over Alike = max(AccountName) over Alike,
                    min(AccountName) over Alike,
                    null
                )
            ) as AccountName,
            coalesce(
                Parent, if(min(Parent) over Alike = max(Parent) over Alike, min(Parent) over Alike, null)
            ) as Parent
        )
    from Parted
    window Alike as (partition by DeviceId, Pid, Ticks, OwnRow)
),

Grouped as (
    select
        DeviceId,
        Pid,
        Ticks,
        OwnRow,
        if(Unit > 10, [FileName, FolderPath, SHA1, SHA256, CommandLine, AccountName, Parent::varchar], null)
            as Said,
        max(Unit) as Unit,
        bool_or(Rounds) as Rounds,
        any_value(Platform) as Platform,
        any_value(Coarse) as Coarse,
        min(FileName) as FileName,
        min(FolderPath) as FolderPath,
        min(SHA1) as SHA1,
        min(SHA256) as SHA256,
        min(CommandLine) as CommandLine,
        min(AccountName) as AccountName,
        min(Parent) as Parent,
        list(
            {
                'EventTable': EventTable,
                'FileNumber': FileNumber,
                'RowNumber': RowNumber,
                'MatchRole': MatchRole
            }
        ) as Events
    from Filled
    group by DeviceId, Pid, Ticks, OwnRow, Said
)

select
    row_number() over (order by DeviceId, Pid, Ticks, OwnRow, Said) as Sighting,
    Grouped.* exclude (Said, Parent),
    Parent.Pid as ParentPid,
    Parent.Ticks as ParentTicks
from Grouped
