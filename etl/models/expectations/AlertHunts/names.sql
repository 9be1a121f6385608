-- A hunt goes by the hash of its query: what is shown is what is named.
select
    AlertId,
    HuntId
from AlertHunts
where HuntId <> left(sha256(Query), 32)
