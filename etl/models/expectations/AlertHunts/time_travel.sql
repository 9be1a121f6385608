-- A hunt asks for a stretch of time that ends after it begins, and that has begun. A day is left for clocks
-- that are wrong.
select
    AlertId,
    HuntId,
    WindowStart,
    WindowEnd,
    HuntedAt
from AlertHunts
where WindowStart >= WindowEnd or WindowStart > HuntedAt + interval 1 day
