-- One row a detector and title.
select
    DetectorId,
    Title
from DetectorScorecard
group by TenantId, DetectorId, Title
having count(*) > 1
