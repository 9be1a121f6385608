-- Which instances each sighting may belong to; one that is an instance belongs to itself.
-- Grain: Question (the sighting), Instance. Inputs: Sightings, Instances by the match rule.
select
    Sighting as Question,
    Instance,
    Agree,
    Deny
from SAMEPROCESS('Sightings', 'Instances')
where MatchTier in ('exact', 'precision')
qualify RANK() over (partition by Sighting order by Sighting = Instance desc) = 1
