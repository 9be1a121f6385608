-- The shape of every command line: what is left once that which differs from run to run is taken out.
-- Grain: Line. Input: Lines (command lines, as they are).
-- In this order: lower case, white space as one blank; a run of digits is 0; a GUID is <guid>; hexadecimal
-- digits and letters by turns are 0; the folder of a user is <user>, but for Public; the name of what lies
-- in a folder for temporary things is <temp>, its extension kept; 32 or more of letters, digits and + in a
-- row, with what is joined to them by /, is <blob>. Digits go first, so that lines which differ in nothing
-- else have one shape; a shape is its own shape.
with Plain as (
    select
        Line,
        regexp_replace(trim(regexp_replace(lower(Line), '\s+', ' ', 'g')), '[0-9]+', '0', 'g') as Shape
    from Lines
),

Numbered as (
    select
        Line,
        regexp_replace(
            regexp_replace(Shape, '[a-f]*0[0a-f]*(?:-[0a-f]+){3}-[a-f]*0[0a-f]*', '<guid>', 'g'),
            '[a-f]*0(?:[a-f]+0)+[a-f]*',
            '0',
            'g'
        ) as Shape
    from Plain
),

Personal as (
    select
        Line,
        regexp_replace(
            regexp_replace(
                regexp_replace(Shape, '\b(users[\\/]+)public\b', '\1<public>', 'g'),
                '\b((?:users|home)[\\/]+)[^\\/:*?"<>|]*[^\\/:*?"<>| ]([\\/])',
                '\1<user>\2',
                'g'
            ),
            '\b((?:users|home)[\\/]+)[^\\/:*?"<>| ]+',
            '\1<user>',
            'g'
        ) as Shape
    from Numbered
),

Temporary as (
    select
        Line,
        regexp_replace(Shape, '\b((?:temp|tmp)%?[\\/]+)[^\\/:*?"<>|. ]+', '\1<temp>', 'g') as Shape
    from Personal
)

select
    Line,
    regexp_replace(
        regexp_replace(Shape, '[a-z0+]{32,}', '<blob>', 'g'),
        '(?:[a-z0+/]*<blob>[a-z0+/=]*)+',
        '<blob>',
        'g'
    ) as Shape
from Temporary
