-- Devices whose events matter: those that alerts name, and those that were merged with them.
-- Grain: DeviceId. Inputs: AlertDevices, AlertEvidence, DeviceAliases.
with Named as (
    select DeviceId from AlertDevices
    union
    select DeviceId from AlertEvidence
)

select DeviceId
from Named
where DeviceId is not null
union
select DeviceAliases.OtherId as DeviceId
from DeviceAliases
semi join Named using (DeviceId)
