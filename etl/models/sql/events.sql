-- Whole rows of the matched events of all tables.
-- Grain: EventTable, EventId. Inputs: MatchedEvents, AllEvents.
select AllEvents.*
from AllEvents
semi join MatchedEvents using (EventTable, EventId)
