-- The match rule: which process instances an evidence item may mean, and at which tier.
-- Grain: AlertId, EvidenceId, DeviceId, InstanceTicks. 
-- Inputs: EvidenceKeys, Instances, Parameters (Tolerance in ticks).
--   exact      same device, pid and ticks
--   precision  the same once both are cut to the coarser side's precision
--   tolerance  within Tolerance, and what both sides know of the file agrees; where exec keeps the
--              pid (Linux, macOS) something must be known, as the neighbour in time is another program
-- Decisive: the evidence is known as finely as the instance, so that equal ticks leave no doubt.
with Near as (
    select
        EvidenceKeys.AlertId,
        EvidenceKeys.EvidenceId,
        EvidenceKeys.DeviceId,
        EvidenceKeys.ProcessId,
        EvidenceKeys.ProcessCreationTicks,
        EvidenceKeys.Platform,
        EvidenceKeys.Unit as EvidenceUnit,
        Instances.Ticks as InstanceTicks,
        greatest(EvidenceKeys.Unit, Instances.Unit) as CoarserUnit,
        EvidenceKeys.Unit <= Instances.Unit as AsFine,
        abs(Instances.Ticks - EvidenceKeys.ProcessCreationTicks) as Distance,
        list_filter(
            [
                lower(EvidenceKeys.FileName) = lower(Instances.FileName),
                lower(EvidenceKeys.SHA1) = lower(Instances.SHA1),
                lower(EvidenceKeys.SHA256) = lower(Instances.SHA256)
            ],
            lambda Known: Known is not null
        ) as Facts
    from EvidenceKeys
    inner join Instances
        on
            EvidenceKeys.DeviceId = Instances.DeviceId
            and EvidenceKeys.ProcessId = Instances.Pid
)

select
    AlertId,
    EvidenceId,
    DeviceId,
    ProcessId,
    ProcessCreationTicks,
    EvidenceUnit,
    InstanceTicks,
    Distance,
    case
        when Distance = 0 then 'exact'
        when InstanceTicks // CoarserUnit = ProcessCreationTicks // CoarserUnit then 'precision'
        else 'tolerance'
    end as MatchTier,
    Distance = 0 and AsFine as Decisive
from Near
cross join Parameters
where
    InstanceTicks // CoarserUnit = ProcessCreationTicks // CoarserUnit
    or (
        Distance <= Parameters.Tolerance
        and not list_contains(Facts, false)
        and (Platform = 'windows' or list_contains(Facts, true))
    )
