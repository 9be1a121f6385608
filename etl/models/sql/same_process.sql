-- The match rule: whether a process that is named somewhere may be an instance seen in telemetry.
-- Grain: Sighting, Instance. Inputs: two relations, Sightings (DeviceId, Pid, Ticks, Unit, Rounds and
-- facts, by Sighting) and Instances (the same, by Instance), given by name.
--   exact      same device, pid and ticks
--   precision  the same once both are cut to the coarser side's precision, or rounded where that side
--              may round
--   tolerance  not the same; how far apart is Distance, in ticks
-- Decisive: equal, and both so fine that equal ticks leave no doubt. Elsewhere what contradicts in hash,
-- file name or command line is another process. Agree and Deny name the facts that both sides carry.
-- A command line may be cut off; a parent's time is compared as coarsely as the platform writes it.
with Pairs as (
    select
        Named.Sighting,
        Seen.Instance,
        Seen.DeviceId,
        Seen.Platform,
        Seen.Ticks as InstanceTicks,
        greatest(Named.Unit, Seen.Unit) as CoarserUnit,
        abs(Seen.Ticks - Named.Ticks) as Distance,
        Distance = 0 and Named.Unit <= Seen.Unit and Seen.Unit <= 10 as Decisive,
        if(Named.Unit < Seen.Unit, Named.Ticks, Seen.Ticks) as Finer,
        if(Named.Unit < Seen.Unit, Seen.Ticks, Named.Ticks) as Coarser,
        if(Named.Unit < Seen.Unit, Seen.Rounds, Named.Rounds) as MayRound,
        greatest(CoarserUnit, Seen.Coarse) as ParentUnit,
        list_filter(
            [
                { 'Fact': 'SHA1', 'Same': Named.SHA1 = Seen.SHA1 },
                { 'Fact': 'SHA256', 'Same': Named.SHA256 = Seen.SHA256 },
                { 'Fact': 'file name', 'Same': Named.FileName = Seen.FileName },
                {
                    'Fact': 'command line',
                    'Same': case
                        when Named.CommandLine = Seen.CommandLine then true
                        when
                            least(length(Named.CommandLine), length(Seen.CommandLine)) >= 1000
                            and (
                                starts_with(Named.CommandLine, Seen.CommandLine)
                                or starts_with(Seen.CommandLine, Named.CommandLine)
                            )
                            then null
                        else Named.CommandLine = Seen.CommandLine
                    end
                },
                { 'Fact': 'path', 'Same': Named.FolderPath = Seen.FolderPath },
                { 'Fact': 'account', 'Same': Named.AccountName = Seen.AccountName },
                {
                    'Fact': 'parent',
                    'Same': Named.ParentPid = Seen.ParentPid
                    and Named.ParentTicks // ParentUnit = Seen.ParentTicks // ParentUnit
                }
            ],
            lambda Known: Known.Same is not null
        ) as Facts,
        list_transform(list_filter(Facts, lambda Known: Known.Same), lambda Known: Known.Fact) as Agree,
        list_transform(list_filter(Facts, lambda Known: not Known.Same), lambda Known: Known.Fact) as Deny
    from query_table(Sightings) as Named
    inner join query_table(Instances) as Seen
        on
            Named.DeviceId = Seen.DeviceId
            and Named.Pid = Seen.Pid
)

select
    Sighting,
    Instance,
    DeviceId,
    Platform,
    InstanceTicks,
    CoarserUnit,
    Distance,
    Decisive,
    Agree,
    Deny,
    case
        when Distance = 0 then 'exact'
        when Finer // CoarserUnit = Coarser // CoarserUnit then 'precision'
        when MayRound and (Finer + CoarserUnit // 2) // CoarserUnit = Coarser // CoarserUnit then 'precision'
        else 'tolerance'
    end as MatchTier
from Pairs
where Decisive or not list_has_any(Deny, ['SHA1', 'SHA256', 'file name', 'command line'])
