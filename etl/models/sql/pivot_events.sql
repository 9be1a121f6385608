-- The events that pivots may find: none are read where every lead goes by a process key.
-- Grain: EventTable, EventId. Inputs: AllEvents, Leads.
select *
from AllEvents
where (select bool_or(Leads.Kind <> 'process') from Leads)
