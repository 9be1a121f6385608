-- Two alerts that are about one process, and that no other is about, are in one story.
select
    AlertCorrelation.DeviceId,
    AlertCorrelation.ProcessId,
    AlertCorrelation.MatchedProcessCreationTicks,
    min(IncidentStory.AlertId) as AlertId,
    max(IncidentStory.AlertId) as OtherAlertId
from AlertCorrelation
inner join IncidentStory using (AlertId)
where AlertCorrelation.MatchedProcessCreationTicks is not null
group by
    AlertCorrelation.DeviceId,
    AlertCorrelation.ProcessId,
    AlertCorrelation.MatchedProcessCreationTicks
having count(distinct IncidentStory.AlertId) = 2 and count(distinct IncidentStory.StoryId) > 1
