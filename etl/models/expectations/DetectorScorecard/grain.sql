-- One row a day, detector and title.
select
    CreatedDate,
    DetectorId,
    Title
from DetectorScorecard
group by TenantId, CreatedDate, DetectorId, Title
having count(*) > 1
