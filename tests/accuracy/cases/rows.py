"""Rows: which of them telemetry has of a process, in which role, and how often."""

from dataclasses import replace

from accuracy.case import case
from accuracy.maker import PROGRAM, Maker
from accuracy.sources import SLOT, cut
from accuracy.worlds import EVERYTHING, MS, TABLES, US, Process


@case("known only as initiator")
def initiator(make: Maker) -> None:
    """Show in any table what the process did; its creation row lies before the window."""
    device = make.device(make.dice.choice(["windows", "macos", "linux"]))
    process = make.process(device)
    make.crowd(device)
    make.acts(process, make.dice.randrange(1, 4))
    make.evidence(process, carries=make.some_facts())


@case("rows that say more or less")
def laconic(make: Maker) -> None:
    """Leave facts out of some rows: they are of the one process for all that."""
    process = make.process(make.device(make.dice.choice(["windows", "macos", "linux"])))
    if make.dice.random() < 0.5:
        make.starts(process)
    make.acts(process, 4)
    make.world.events[-3:] = [
        replace(event, says=make.some_facts()) for event in make.world.events[-3:]
    ]
    make.evidence(process, carries=make.some_facts())


@case("both roles, every table")
def roles(make: Maker) -> None:
    """Rows about the process and rows that it caused, and some that are both."""
    device = make.device(make.dice.choice(["windows", "macos", "linux"]))
    process, other = make.process(device), make.process(device)
    make.starts(process, other)
    for table in TABLES:
        make.acts(process, tables=[table])
        make.acts(other, tables=[table])
    make.about(process, other)
    make.about(other, process)
    make.about(process, process)
    make.evidence(process, carries=make.some_facts())


@case("known only by what was done to it")
def victim(make: Maker) -> None:
    """Only DeviceEvents tells of it, as the process that another one opened."""
    device = make.device(make.dice.choice(["windows", "macos", "linux"]))
    process = make.process(device)
    make.about(process, make.process(device))
    make.evidence(process, carries=make.some_facts())


def _shared(make: Maker, others: int) -> tuple[Process, list[Process]]:
    """Return a process known only as initiator, and others with rows in the same 10 ms."""
    first = make.process(make.device("linux"), cut(make.time("linux"), SLOT) + 40 * US)
    gaps = [make.dice.randrange(30 * US, 4 * MS, US) for _ in range(others)]
    chain = make.chain(first, gaps, *PROGRAM)
    make.dice.shuffle(chain)
    make.crowd(first.device)
    make.starts(*chain[1:])
    make.acts(chain[0], 2)
    return chain[0], chain[1:]


@case("linux initiator among own rows, facts decide")
def among(make: Maker) -> None:
    """Two others have their own rows in the same 10 ms."""
    process, _ = _shared(make, 2)
    make.evidence(process, carries=make.some_facts() | {"SHA256"})


@case("linux initiator among own rows, no facts")
def lost_among(make: Maker) -> None:
    """Two others have their own rows in the same 10 ms, and nothing tells."""
    process, others = _shared(make, 2)
    make.evidence(make.dice.choice([process, *others]))


@case("linux own row beside another's doings")
def beside(make: Maker) -> None:
    """Show what another program did, started in the same 10 ms."""
    _, others = _shared(make, 1)
    make.evidence(others[0], carries=make.some_facts() | {"FileName"})


@case("rows that stand for many")
def aggregated(make: Maker) -> None:
    """Aggregate: reports name whose they are; what they are about is many things."""
    device = make.device(make.dice.choice(["windows", "macos", "linux"]))
    process = make.process(device)
    if make.dice.random() < 0.5:
        make.starts(process)
    for table, action in (
        ("DeviceProcessEvents", "ProcessCreatedAggregatedReport"),
        ("DeviceNetworkEvents", "ConnectionSuccessAggregatedReport"),
        ("DeviceFileEvents", "FileModifiedAggregatedReport"),
        ("DeviceLogonEvents", "LogonSuccessAggregatedReport"),
    ):
        make.event(table, None, process, action)
    make.evidence(process, carries=make.some_facts())


@case("rows that come twice")
def twice(make: Maker) -> None:
    """One creation reported twice is one process."""
    device = make.device(make.dice.choice(["windows", "macos", "linux"]))
    process = make.process(device)
    make.starts(process, process)
    make.acts(process)
    make.world.events.extend(
        replace(event, id=f"{event.id} again") for event in list(make.world.events)
    )
    make.evidence(process, carries=EVERYTHING)
