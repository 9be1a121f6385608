-- Every row's alert exists, in the incident that is told.
select
    IncidentStory.AlertId,
    IncidentStory.IncidentId
from IncidentStory
left join Alerts using (AlertId)
where
    Alerts.AlertId is null
    or IncidentStory.IncidentId is distinct from Alerts.IncidentId
