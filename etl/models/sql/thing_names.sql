-- The names by which the day's alerts name things, and the one value that they mean.
-- Grain: Kind, Name. Inputs: MatchedThings, CommandShapes (of their command lines).
-- A file goes by its SHA256 wherever any event of the day tells it, else by its SHA1; a command line by its
-- shape.
with Known as (
    select
        Alias,
        min(Name) as Value
    from MatchedThings
    where Kind = 'file' and Name <> Alias
    group by Alias
)

select distinct
    MatchedThings.Kind,
    MatchedThings.Name,
    coalesce(Known.Value, CommandShapes.Shape, MatchedThings.Name) as Value
from MatchedThings
left join Known
    on
        MatchedThings.Kind = 'file'
        and MatchedThings.Name = Known.Alias
left join CommandShapes
    on
        MatchedThings.Kind = 'command_line'
        and MatchedThings.Name = CommandShapes.Line
union
select
    'file' as Kind,
    Alias as Name,
    Value
from Known
