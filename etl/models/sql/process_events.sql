-- The events of every matched process instance.
-- Grain: AlertId, EvidenceId, EventTable, FileNumber, RowNumber. Inputs: Matches, Homes.
-- An event that is about the process and caused by it as well counts as about it. On a device that was
-- merged with the evidence's the tier is one lower.
select
    Matches.AlertId,
    Matches.EvidenceId,
    Homes.EventTable,
    Homes.FileNumber,
    Homes.RowNumber,
    Homes.MatchRole,
    Homes.Ticks - Matches.ProcessCreationTicks as TimeDeltaTicks,
    case
        when Homes.Ticks = Matches.ProcessCreationTicks then if(Matches.Merged, 'precision', 'exact')
        when Matches.Merged then 'tolerance'
        when
            Homes.Ticks // greatest(Homes.Unit, Matches.EvidenceUnit)
            = Matches.ProcessCreationTicks // greatest(Homes.Unit, Matches.EvidenceUnit)
            then 'precision'
        else 'tolerance'
    end as MatchTier
from Matches
inner join Homes using (Instance)
qualify row_number() over (
    partition by
        Matches.AlertId, Matches.EvidenceId, Homes.EventTable, Homes.FileNumber, Homes.RowNumber
    order by Homes.MatchRole desc
) = 1
