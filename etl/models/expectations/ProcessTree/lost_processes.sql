-- Every matched process is in the tree of its alert, at depth 0.
select
    AlertCorrelation.AlertId,
    AlertCorrelation.EvidenceId,
    AlertCorrelation.ProcessId,
    AlertCorrelation.MatchedProcessCreationTicks
from AlertCorrelation
anti join ProcessTree
    on
        AlertCorrelation.AlertId = ProcessTree.AlertId
        and AlertCorrelation.DeviceId = ProcessTree.DeviceId
        and AlertCorrelation.ProcessId = ProcessTree.ProcessId
        and AlertCorrelation.MatchedProcessCreationTicks = ProcessTree.ProcessCreationTicks
        and ProcessTree.Depth = 0
where AlertCorrelation.MatchedProcessCreationTicks is not null
