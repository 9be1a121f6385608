-- A story is named by its smallest alert, the counts are those of the rows, and the agreement follows.
with Told as (
    select
        *,
        coalesce(IncidentId, AlertId) as Incident
    from IncidentStory
),

Counted as (
    select
        *,
        min(AlertId) over (partition by StoryId) as FirstAlertId,
        count(*) over (partition by StoryId) as InStory,
        count(distinct Incident) over (partition by StoryId) as Incidents,
        count(*) over (partition by Incident) as InIncident,
        count(distinct StoryId) over (partition by Incident) as Stories
    from Told
)

select
    AlertId,
    StoryId,
    StoryAlerts,
    IncidentId,
    IncidentAlerts,
    Agreement
from Counted
where
    StoryId <> FirstAlertId
    or StoryAlerts <> InStory
    or StoryIncidents <> Incidents
    or IncidentAlerts <> InIncident
    or IncidentStories <> Stories
    or (Agreement in ('story_spans_incidents', 'both')) <> (Incidents > 1)
    or (Agreement in ('incident_spans_stories', 'both')) <> (Stories > 1)
