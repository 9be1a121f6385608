-- mart.IncidentStory: which alerts of a day belong together by what they share, and Microsoft's incidents.
-- Grain: TenantId, AlertId. Inputs: Alerts, StoryLinks, Stories (the component that each linked alert is in).
-- An alert without an incident is an incident of its own. Incidents are compared within the day.
with Placed as (
    select
        Alerts.*,
        coalesce(Stories.StoryId, Alerts.AlertId) as StoryId,
        coalesce(Alerts.IncidentId, Alerts.AlertId) as Incident
    from Alerts
    left join Stories using (AlertId)
),

Counted as (
    select
        *,
        count(*) over (partition by StoryId) as StoryAlerts,
        count(distinct Incident) over (partition by StoryId) as StoryIncidents,
        count(*) over (partition by Incident) as IncidentAlerts,
        count(distinct StoryId) over (partition by Incident) as IncidentStories
    from Placed
),

Told as (
    select
        AlertId,
        case Kind
            when 'process' then if(Own, 'process', 'descent from process')
            when 'url' then 'host'
            else Kind
        end as Noun,
        list_position(['process', 'file', 'address', 'url', 'account'], Kind) as Rank,
        coalesce(Label, '') as Label,
        max(Alerts) - 1 as Others
    from StoryLinks
    group by AlertId, Noun, Rank, Label
),

Worded as (
    select
        AlertId,
        list(
            Noun || if(Label = '', '', ' ' || Label)
            || ' with ' || Others || if(Others = 1, ' alert', ' alerts')
            order by Rank asc, Noun desc, Others desc, Label asc
        ) as Links
    from Told
    group by AlertId
)

select
    Counted.TenantId,
    Counted.AlertId,
    Counted.Title,
    Counted.CreatedTime,
    Counted.StoryId,
    Counted.StoryAlerts,
    Counted.StoryIncidents,
    Counted.IncidentId,
    Counted.IncidentAlerts,
    Counted.IncidentStories,
    case
        when Counted.StoryIncidents > 1 and Counted.IncidentStories > 1 then 'both'
        when Counted.StoryIncidents > 1 then 'story_spans_incidents'
        when Counted.IncidentStories > 1 then 'incident_spans_stories'
        else 'same'
    end as Agreement,
    coalesce(
        'shares ' || array_to_string(Worded.Links[:3], '; ')
        || if(len(Worded.Links) > 3, '; and ' || (len(Worded.Links) - 3) || ' more', ''),
        'shares nothing rare with another alert of its day'
    ) as Because,
    Counted.IngestedAt,
    Counted.SourceRequestId
from Counted
left join Worded using (AlertId)
order by Counted.AlertId
