"""Places: devices that are spelled otherwise, or not named by the evidence itself."""

from accuracy.case import case
from accuracy.maker import Maker
from accuracy.worlds import FACTS, Device, Process


@case("device id in capitals")
def capitals(make: Maker) -> None:
    """Evidence spells the id of its device in capitals."""
    device = make.device(make.dice.choice(["windows", "macos", "linux"]))
    process = make.process(device)
    make.starts(process)
    make.acts(process)
    make.evidence(process, carries=make.some_facts(), device=device.id.upper())


def _placeless(make: Maker, named: int, having: int) -> None:
    """Let evidence name no device, its alert several, and some of them have such a process."""
    platform = make.dice.choice(["windows", "macos", "linux"])
    devices = [make.device(platform) for _ in range(named)]
    process = make.process(devices[0])
    for device in devices:
        make.crowd(device)
    if having:
        make.starts(process)
        make.acts(process)
    for device in devices[1:having]:
        make.starts(_same(process, device))
    make.dice.shuffle(devices)
    alert = make.alert(process.created, *devices)
    make.evidence(process, alert, device=None, carries=make.some_facts().intersection(FACTS))


def _same(process: Process, device: Device) -> Process:
    """Return a process that only its device tells from another."""
    return Process(device, process.pid, process.created, process.facts)


def _named(named: int, having: int) -> None:
    @case(f"no device id, {named} named, {having} with a match")
    def placeless(make: Maker) -> None:
        _placeless(make, named, having)


for _devices, _having in ((1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (3, 2)):
    _named(_devices, _having)


@case("no device id, none named")
def nowhere(make: Maker) -> None:
    """Neither evidence nor alert names a device."""
    process = make.process(make.device("windows"))
    make.starts(process)
    make.evidence(process, make.alert(process.created), device=None)


@case("the same key on another device")
def another(make: Maker) -> None:
    """Let a device speak, and another one have the very pid and time."""
    device, other = make.device("windows"), make.device("windows")
    process = make.process(device)
    make.crowd(device)
    make.starts(_same(process, other))
    make.acts(_same(process, other))
    make.evidence(process, make.alert(process.created, device, other))


@case("no device id, another alert's device has it")
def elsewhere(make: Maker) -> None:
    """Only the devices of its own alert are asked."""
    process = make.process(make.device("windows"))
    make.starts(process)
    own = make.device("windows")
    make.crowd(own)
    make.evidence(process)
    make.evidence(process, make.alert(process.created, own), device=None)
