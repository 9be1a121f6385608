-- Operating system of every device that the day's alerts name, or whose telemetry was pulled.
-- Grain: DeviceId. Inputs: AlertDevices, AllEvents.
-- Decides how finely creation times are known; without a named platform, paths tell. Coarse is the
-- precision in ticks at which two namings of one process may be compared, whoever names it.
with Named as (
    select
        DeviceId,
        max(lower(OSPlatform)) as Name
    from AlertDevices
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
    ) as Paths
    group by DeviceId
),

Told as (
    select
        DeviceId,
        case
            when Named.Name like 'windows%' then 'windows'
            when Named.Name like 'mac%' then 'macos'
            when Named.Name is not null and Named.Name not in ('', 'unknown', 'other') then 'linux'
            when Seen.MacPaths then 'macos'
            when Seen.PosixPaths then 'linux'
            else 'windows'
        end as Platform
    from Named
    full join Seen using (DeviceId)
)

select
    *,
    case Platform
        when 'linux' then 100000
        when 'macos' then 10
        else 1
    end as Coarse
from Told
