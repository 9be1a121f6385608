-- Every evidence item is counted once, and the events are those of mart.AlertCorrelation.
with Told as (
    select
        AlertId,
        count(*) as Items,
        sum(Events)::bigint as Found
    from AlertCorrelation
    group by AlertId
)

select
    AlertValidation.AlertId,
    AlertValidation.Evidence,
    coalesce(Told.Items, 0) as Items,
    AlertValidation.Events,
    coalesce(Told.Found, 0) as Found
from AlertValidation
left join Told using (AlertId)
where
    AlertValidation.Evidence <> coalesce(Told.Items, 0)
    or AlertValidation.Events <> coalesce(Told.Found, 0)
    or AlertValidation.Evidence
    <> AlertValidation.Matched + AlertValidation.Pivoted + AlertValidation.Ambiguous
    + AlertValidation.Open + AlertValidation.Missed + AlertValidation.Unkeyed
