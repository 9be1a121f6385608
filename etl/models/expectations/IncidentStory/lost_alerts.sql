-- Every alert of the day is in a story.
select AlertId
from Alerts
anti join IncidentStory using (AlertId)
