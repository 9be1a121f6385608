-- Every evidence item has its row, matched or not.
select
    AlertId,
    EvidenceId
from AlertEvidence
anti join AlertCorrelation using (AlertId, EvidenceId)
