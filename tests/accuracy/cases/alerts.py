"""Alerts: which name a process more than once."""

from accuracy.case import case
from accuracy.maker import Maker


@case("one process twice in one alert")
def twice(make: Maker) -> None:
    """List a process twice in an alert, with other facts."""
    process = make.process(make.device(make.dice.choice(["windows", "macos", "linux"])))
    make.starts(process)
    make.acts(process, 2)
    alert = make.alert(process.created, process.device)
    make.evidence(process, alert, carries=make.some_facts())
    make.evidence(process, alert, carries=make.some_facts())


@case("one process in several alerts")
def several(make: Maker) -> None:
    """Name a process in alert after alert."""
    process = make.process(make.device(make.dice.choice(["windows", "macos", "linux"])))
    make.starts(process)
    make.acts(process, 2)
    for _ in range(3):
        make.evidence(process, carries=make.some_facts())


@case("parent and child in one alert")
def family(make: Maker) -> None:
    """List a process and its parent, which the child's row names as initiator."""
    parent = make.process(make.device(make.dice.choice(["windows", "macos", "linux"])))
    make.starts(parent)
    make.acts(parent, 2, tables=["DeviceProcessEvents"])
    child = make.world.events[-1].subject
    alert = make.alert(parent.created, parent.device)
    make.evidence(parent, alert, carries=make.some_facts())
    if child:
        make.evidence(child, alert, carries=make.some_facts())
