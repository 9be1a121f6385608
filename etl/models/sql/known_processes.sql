-- Processes near matched ones that are known to their full precision, and what is known of them.
-- Grain: DeviceId, Pid, Ticks. Inputs: Mentions, Platforms.
-- Cut namings are no processes of their own while one of these can be meant.
select
    Mentions.DeviceId,
    Mentions.Pid,
    Mentions.Ticks,
    Mentions.FileName,
    Mentions.SHA1,
    Mentions.SHA256,
    Mentions.CommandLine,
    Mentions.Parent.Pid as ParentPid,
    Mentions.Parent.Ticks // Platforms.Coarse as ParentSlot
from Mentions
inner join Platforms using (DeviceId)
where Mentions.Source in (1, 3) or (Mentions.Source = 2 and Mentions.Ticks % Platforms.Coarse <> 0)
qualify row_number() over (
    partition by Mentions.DeviceId, Mentions.Pid, Mentions.Ticks // least(Platforms.Coarse, 10)
    order by
        Mentions.Source, Mentions.SeenTicks, Mentions.FileName, Mentions.CommandLine, Mentions.Parent
) = 1
