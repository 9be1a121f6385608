-- Operating system of every device that the day's alerts name, and of those merged with them.
-- Grain: DeviceId. Inputs: AlertDevices, AlertEvidence, DeviceAliases, AllEvents.
-- Decides how finely creation times are known; without a named platform, paths tell. Coarse is the
-- precision in ticks at which two namings of one process may be compared, whoever names it.
with Mentioned as (
    select
        DeviceId,
        OSPlatform
    from AlertDevices
    union all
    select
        DeviceId,
        null as OSPlatform
    from AlertEvidence
    where DeviceId is not null
),

Named as (
    select
        DeviceId,
        max(nullif(nullif(nullif(lower(OSPlatform), 'unknown'), 'other'), '')) as Name
    from (
        select *
        from Mentioned
        union all
        select
            DeviceAliases.OtherId as DeviceId,
            Mentioned.OSPlatform
        from Mentioned
        inner join DeviceAliases using (DeviceId)
    ) as Devices
    group by DeviceId
),

Seen as (
    select
        DeviceId,
        bool_or(regexp_matches(Path, '^/(System|Applications|Library|Users)/|^/sbin/launchd')) as MacPaths,
        bool_or(Path like '/%') as PosixPaths
    from (
        select distinct
            DeviceId,
            InitiatingProcessFolderPath as Path
        from AllEvents
        semi join (from Named where Name is null) as Nameless using (DeviceId)
    ) as Paths
    group by DeviceId
),

Told as (
    select
        Named.DeviceId,
        case
            when Named.Name like 'windows%' then 'windows'
            when Named.Name like 'mac%' then 'macos'
            when Named.Name is not null then 'linux'
            when Seen.MacPaths then 'macos'
            when Seen.PosixPaths then 'linux'
            else 'windows'
        end as Platform
    from Named
    left join Seen using (DeviceId)
)

select
    *,
    case Platform
        when 'linux' then 100000
        when 'macos' then 10
        else 1
    end as Coarse
from Told
