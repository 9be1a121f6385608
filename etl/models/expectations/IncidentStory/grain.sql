-- One row an alert.
select AlertId
from IncidentStory
group by TenantId, AlertId
having count(*) > 1
