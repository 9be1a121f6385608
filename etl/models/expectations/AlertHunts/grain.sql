-- One row an alert, evidence item and hunt.
select
    AlertId,
    EvidenceId,
    HuntId
from AlertHunts
group by TenantId, AlertId, EvidenceId, HuntId
having count(*) > 1
