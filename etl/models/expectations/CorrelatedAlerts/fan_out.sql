-- What is matched by a process key is matched to one process of one device, however many its events.
select
    AlertId,
    EvidenceId,
    count(distinct DeviceId) as Devices,
    count(distinct if(MatchRole = 'subject', ProcessId, InitiatingProcessId)) as Processes
from CorrelatedAlerts
where MatchTier <> 'pivot'
group by AlertId, EvidenceId
having Devices <> 1 or Processes <> 1
