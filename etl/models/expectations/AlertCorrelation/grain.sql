-- One row an alert and evidence item.
select
    AlertId,
    EvidenceId
from AlertCorrelation
group by TenantId, AlertId, EvidenceId
having count(*) > 1
