-- Process instances in the telemetry: one pid of one device, started once.
-- Grain: Instance. Inputs: Sightings, OwnRows (those of them that are creation rows, as instances).
-- Own rows are instances; another sighting is one of its own only where no own row can be meant.
with Owned as (
    select Sighting
    from SAMEPROCESS('Sightings', 'OwnRows')
    where MatchTier in ('exact', 'precision')
)

select * exclude (Events)
from OwnRows
union all
select
    Sightings.Sighting as Instance,
    Sightings.* exclude (Sighting, Events)
from Sightings
anti join Owned using (Sighting)
where not Sightings.OwnRow
