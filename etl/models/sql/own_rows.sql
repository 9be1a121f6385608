-- The creation rows among the sightings, each an instance.
-- Grain: Instance. Input: Sightings.
select
    Sighting as Instance,
    Sightings.* exclude (Sighting)
from Sightings
where OwnRow
