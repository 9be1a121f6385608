-- The mentions, with the processes that they and their parents' namings mean.
-- Grain: as Mentions; those about nobody are left out. Inputs: Mentions, NamedProcesses.
-- Nobody is its own parent, and an aggregated report does not say who started anybody.
select
    Mentions.* exclude (Ticks),
    coalesce(Meant.Ticks, Mentions.Ticks) as Ticks,
    Started.Pid as ParentPid,
    Started.Ticks as ParentTicks
from Mentions
left join NamedProcesses as Meant on Mentions.Naming = Meant.Naming
left join NamedProcesses as Started
    on
        Mentions.Parent = Started.Naming
        and Mentions.Source < 4
        and not (Mentions.Pid = Started.Pid and coalesce(Meant.Ticks, Mentions.Ticks) = Started.Ticks)
where Mentions.Naming is null or Meant.Ticks is not null
