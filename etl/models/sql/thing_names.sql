-- The names under which the lake knows what the day's alerts name, and the one value that they mean.
-- Grain: Kind, Name. Inputs: MatchedThings, CommandShapes.
-- A file goes by its SHA256 wherever any event of the day tells it, else by its SHA1; a command line by its
-- shape.
with Known as (
    select
        Alias,
        min(Name) as Value
    from MatchedThings
    where Kind = 'file' and Name <> Alias
    group by Alias
),

Wanted as (
    select distinct CommandShapes.Shape
    from CommandShapes
    inner join MatchedThings
        on
            MatchedThings.Kind = 'command_line'
            and CommandShapes.Line = MatchedThings.Name
)

select distinct
    MatchedThings.Kind,
    MatchedThings.Name,
    coalesce(Known.Value, MatchedThings.Name) as Value
from MatchedThings
left join Known
    on
        MatchedThings.Kind = 'file'
        and MatchedThings.Name = Known.Alias
where MatchedThings.Kind <> 'command_line'
union
select
    'file' as Kind,
    Alias as Name,
    Value
from Known
union
select
    'command_line' as Kind,
    CommandShapes.Line as Name,
    CommandShapes.Shape as Value
from CommandShapes
semi join Wanted using (Shape)
