-- The processes that events mention: mentions of one process by one kind of source are one sighting.
-- Grain: Sighting, which is DeviceId, Pid, Ticks, OwnRow and, where times are coarse, FileName and
-- CommandLine: exec may have put several programs into one coarse time.
-- Input: ProcessKeys. What a mention does not say is what all others of its time say alike.
with Filled as (
    select
        * exclude (FileName, CommandLine),
        coalesce(
            FileName, if(min(FileName) over Alike = max(FileName) over Alike, min(FileName) over Alike, null)
        )
            as FileName,
        coalesce(
            CommandLine,
            if(min(CommandLine) over Alike = max(CommandLine) over Alike, min(CommandLine) over Alike, null)
        ) as CommandLine
    from ProcessKeys
    window Alike as (partition by DeviceId, Pid, Ticks, OwnRow)
),

Grouped as (
    select
        DeviceId,
        Pid,
        Ticks,
        OwnRow,
        if(Unit > 10, FileName, null) as Program,
        if(Unit > 10, CommandLine, null) as Line,
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
        min({ 'Pid': ParentPid, 'Ticks': ParentTicks }) filter (
            where ParentPid > 0 and ParentTicks is not null
        )
            as Parent,
        list({ 'EventTable': EventTable, 'EventId': EventId, 'MatchRole': MatchRole }) as Events
    from Filled
    group by all
)

select
    row_number() over (order by DeviceId, Pid, Ticks, OwnRow, Program, Line) as Sighting,
    Grouped.* exclude (Program, Line, Parent),
    Parent.Pid as ParentPid,
    Parent.Ticks as ParentTicks
from Grouped
