-- One row an alert.
select AlertId
from AlertValidation
group by TenantId, AlertId
having count(*) > 1
