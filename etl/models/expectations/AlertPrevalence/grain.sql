-- One row an alert, kind and value.
select
    AlertId,
    Kind,
    Value
from AlertPrevalence
group by TenantId, AlertId, Kind, Value
having count(*) > 1
