"""Pids: used again, big, or of nobody."""

from collections.abc import Sequence

from accuracy.case import case
from accuracy.maker import PROGRAM, Maker
from accuracy.truth import NO_TIMES
from accuracy.worlds import HOUR, MS, SECOND, Process


@case("windows")
def windows(make: Maker) -> None:
    """Show a process's creation row and what it did."""
    device = make.device("windows")
    process = make.process(device)
    make.crowd(device)
    make.starts(process)
    make.acts(process, make.dice.randrange(5))
    make.evidence(process, carries=make.some_facts())


def _lives(make: Maker, gaps: Sequence[int]) -> list[Process]:
    """Return processes that had one pid after the other, each seen from its start on."""
    device = make.device("windows")
    lives = make.chain(make.process(device), gaps, *PROGRAM, "account", "parent")
    make.crowd(device)
    make.starts(*lives)
    for life in lives:
        make.acts(life)
    return lives


@case("pid used again after seconds or hours")
def again(make: Maker) -> None:
    """Windows gives a pid to another process, several times a day."""
    gaps = [make.dice.randrange(SECOND, 3 * HOUR) for _ in range(make.dice.randrange(1, 5))]
    make.evidence(make.dice.choice(_lives(make, gaps)), carries=make.some_facts())


@case("pid used again after 1 ms")
def soon(make: Maker) -> None:
    """Let the next one start within the tolerance."""
    make.evidence(make.dice.choice(_lives(make, [MS, MS])))


@case("pid used again after 100 ns")
def next_tick(make: Maker) -> None:
    """Let the next one start one tick later."""
    make.evidence(make.dice.choice(_lives(make, [1, 1])))


@case("pid used again, the true one not landed")
def gone(make: Maker) -> None:
    """Telemetry has only others that had the pid, some of them within the tolerance."""
    device = make.device("windows")
    process = make.process(device)
    near = make.dice.choice([1, MS, 5 * MS, SECOND, HOUR])
    others = [
        make.twin(process, gap, *PROGRAM, "parent")
        for gap in (-near, make.dice.randrange(near + 1, 2 * HOUR))
    ]
    make.starts(*others)
    make.evidence(process, carries=make.some_facts() | ({"FileName"} if near < SECOND else set()))


@case("pid beyond 65,535 and 4,194,304")
def big(make: Maker) -> None:
    """Pids are bigger than people think."""
    for lowest in (65_536, 4_194_305, 2**31):
        device = make.device(make.dice.choice(["windows", "macos", "linux"]))
        process = make.process(device, pid=make.dice.randrange(lowest, lowest + 2**20))
        make.starts(process)
        make.acts(process)
        make.evidence(process)


@case("pid 0, and pid 4 on Windows")
def nobody(make: Maker) -> None:
    """Pid 0 is nobody's, and pid 4 is Windows itself, whatever telemetry holds."""
    for pid, platform in ((0, "windows"), (4, "windows"), (0, "linux"), (0, "macos")):
        process = make.process(make.device(platform), pid=pid)
        make.evidence(process, pid=pid)
        make.starts(process)
        make.acts(make.twin(process, 0))


@case("pid 4 on Linux and macOS")
def four(make: Maker) -> None:
    """Elsewhere pid 4 is a process as any other."""
    process = make.process(make.device(make.dice.choice(["linux", "macos"])), pid=4)
    make.starts(process)
    make.evidence(process)


@case("half a key")
def half(make: Maker) -> None:
    """Name a pid without a time, a time without a pid, or neither."""
    device = make.device(make.dice.choice(["windows", "macos", "linux"]))
    process = make.process(device)
    make.starts(process)
    make.acts(process)
    make.evidence(process, pid=None)
    make.evidence(process, time=None)
    make.evidence(process, pid=None, time=None)


@case("a time that stands for none")
def sentinel(make: Maker) -> None:
    """Both sides say 0001-01-01, 1601-01-01 or 1970-01-01, which makes no two things one."""
    for none in NO_TIMES:
        device = make.device(make.dice.choice(["windows", "macos", "linux"]))
        process = make.process(device, none)
        make.starts(process)
        make.acts(process)
        make.evidence(process, make.alert(make.time("windows"), device))
