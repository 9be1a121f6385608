-- Which instance each mention of a process belongs to; a mention that could be of two has no home.
-- Grain: EventTable, FileNumber, RowNumber, MatchRole. Inputs: Sightings, PossibleHomes by what decides.
select
    Mention.EventTable,
    Mention.FileNumber,
    Mention.RowNumber,
    Mention.MatchRole,
    Sightings.Ticks,
    Sightings.Unit,
    Answer.Instance
from Decided('PossibleHomes') as Answer
inner join Sightings on Answer.Question = Sightings.Sighting
cross join Unnest(Sightings.Events) as Mentions (Mention)
