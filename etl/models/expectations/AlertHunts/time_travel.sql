-- A hunt asks for a stretch of time that ends after it begins, and begins before the hunt.
select
    AlertId,
    HuntId,
    WindowStart,
    WindowEnd,
    HuntedAt
from AlertHunts
where WindowStart >= WindowEnd or WindowStart > HuntedAt
