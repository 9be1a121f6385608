"""Gaps: telemetry that is not there, and why."""

from accuracy.case import FAILED, OLD, UNASKED, case
from accuracy.maker import PROGRAM, Maker
from accuracy.truth import LANDING, PULLED, RETENTION
from accuracy.worlds import DAY, HOUR, MINUTE, Item, Process


def _unseen(make: Maker, created: int | None = None, active: int | None = None) -> Item:
    """Let an alert name a process that telemetry does not have, though its device speaks."""
    device = make.device("windows")
    process = make.process(device, created)
    make.crowd(device)
    make.starts(make.twin(make.process(device, pid=process.pid), 0))
    alert = make.alert(process.created if active is None else active, device)
    return make.evidence(process, alert, carries=make.some_facts())


@case("telemetry missing")
def missing(make: Maker) -> None:
    """Everything came, and the process is not in it."""
    _unseen(make)


@case("device silent")
def silent(make: Maker) -> None:
    """Nothing came of the device at all."""
    device = make.device(make.dice.choice(["windows", "macos", "linux"]))
    make.evidence(make.process(device), carries=make.some_facts())


@case("creation too fresh to have landed")
def fresh(make: Maker) -> None:
    """Start the process minutes before the pull."""
    at = PULLED - make.dice.randrange(LANDING)
    _unseen(make, at, at)


@case("activity too fresh to have landed")
def active(make: Maker) -> None:
    """Let an old process do, minutes before the pull, what the alert is about."""
    _unseen(make, active=PULLED - make.dice.randrange(LANDING))


@case("just landed")
def landed(make: Maker) -> None:
    """Start the process barely long enough before the pull."""
    at = PULLED - LANDING - make.dice.randrange(1, MINUTE)
    _unseen(make, at, at)


@case("older than retention")
def old(make: Maker) -> None:
    """Hunting has forgotten it."""
    at = PULLED - RETENTION - make.dice.randrange(1, 30 * DAY)
    _unseen(make, at)


@case("as old as retention")
def kept(make: Maker) -> None:
    """Hunting still keeps what is as old."""
    at = PULLED - RETENTION + make.dice.randrange(HOUR)
    _unseen(make, at)


@case("older than retention, and as old was pulled", OLD)
def remembered(make: Maker) -> None:
    """Hold telemetry that is older still, so that age cannot be the reason."""
    process = make.process(make.device("windows"), PULLED - RETENTION - 20 * DAY)
    make.starts(process)
    make.evidence(process)
    _unseen(make, PULLED - RETENTION - make.dice.randrange(1, 10 * DAY))


@case("a slice failed", FAILED)
@case("nothing was asked", UNASKED)
def failed(make: Maker) -> None:
    """Prove nothing by a miss; a match is a match, and what could be two is two."""
    _unseen(make)
    device = make.device("windows")
    process = make.process(device)
    make.starts(process)
    make.evidence(process)
    make.evidence(process, time=None)
    make.evidence(make.process(make.device("windows")))
    _between(make, make.process(device))


def _between(make: Maker, process: Process) -> None:
    make.starts(process, make.twin(process, 2_000, *PROGRAM))
    make.evidence(process, time=process.created + 1_000)


@case("the item's own hunt failed")
def hunted(make: Maker) -> None:
    """Everything came but the answer to the hunt for this process."""
    item = _unseen(make)
    make.world.items.remove(item)
    make.evidence(item.means, item.alert, hunts=("complete", "failed"))


@case("the item's own hunt failed at first")
def hunted_again(make: Maker) -> None:
    """Hunt again; the latest hunt counts."""
    item = _unseen(make)
    make.world.items.remove(item)
    make.evidence(item.means, item.alert, hunts=("failed", "complete"))
