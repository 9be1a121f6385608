-- The family of operating systems of each device, as far as alerts name one. A view.
-- Grain: DeviceId. Input: AlertDevices.
with Named as (
    select
        DeviceId,
        max(nullif(nullif(nullif(lower(OSPlatform), 'unknown'), 'other'), '')) as Name
    from AlertDevices
    group by DeviceId
)

select
    DeviceId,
    case
        when Name like 'windows%' then 'windows'
        when Name like 'mac%' then 'macos'
        else 'linux'
    end as Family
from Named
where DeviceId is not null and Name is not null
