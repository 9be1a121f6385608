-- Which process instances an evidence item may mean, and at which tier.
-- Grain: AlertId, EvidenceId, Instance. Inputs: EvidenceKeys, Instances by the match rule, Parameters
-- (Tolerance in ticks). Where exec keeps the pid (Linux, macOS) a near time is no match unless
-- something of the program agrees, as the neighbour in time is another program.
select
    EvidenceKeys.AlertId,
    EvidenceKeys.EvidenceId,
    EvidenceKeys.Pid as ProcessId,
    EvidenceKeys.Ticks as ProcessCreationTicks,
    EvidenceKeys.Unit as EvidenceUnit,
    Pairs.* exclude (Sighting, Platform),
    case
        when Pairs.Decisive then 1
        when Pairs.MatchTier <> 'tolerance' then 2
        else 3
    end as Kind
from EvidenceKeys
inner join SAMEPROCESS('EvidenceKeys', 'Instances') as Pairs using (Sighting)
cross join Parameters
where
    Pairs.MatchTier <> 'tolerance'
    or (
        Pairs.Distance <= Parameters.Tolerance
        and (
            Pairs.Platform = 'windows'
            or LIST_HAS_ANY(Pairs.Agree, ['SHA1', 'SHA256', 'file name', 'command line', 'path'])
        )
    )
