-- Every row's alert and evidence exist.
select
    AlertId,
    EvidenceId,
    'alert' as Lacks
from AlertCorrelation
anti join Alerts using (AlertId)
union all
select
    AlertId,
    EvidenceId,
    'evidence' as Lacks
from AlertCorrelation
anti join AlertEvidence using (AlertId, EvidenceId)
