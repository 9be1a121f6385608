"""Times: as finely as each platform and source shows them, or a little off."""

from accuracy.case import (
    FEW,
    MS_CUT,
    MS_ROUNDED,
    SECONDS,
    SECONDS_ROUNDED,
    TWO_SOURCES,
    case,
)
from accuracy.maker import PROGRAM, Maker
from accuracy.sources import SLOT, cut, in_evidence
from accuracy.worlds import EVERYTHING, FILE_FACTS, HOUR, MS, SECOND, US, Process


def _seen(make: Maker, process: Process) -> Process:
    """Let a process be seen from its start on, among others."""
    make.crowd(process.device)
    make.starts(process)
    make.acts(process, make.dice.randrange(1, 4))
    return process


@case("windows, zeros at the end of the time")
def zeros(make: Maker) -> None:
    """Show a time with few digits that is exact to 100 ns."""
    device = make.device("windows")
    step = 10 ** make.dice.randrange(1, 8)
    process = make.process(device, cut(make.time("windows"), step))
    _seen(make, process)
    make.starts(make.twin(process, make.dice.choice([1, -1, 7, MS]), *PROGRAM))
    make.evidence(process, carries=make.some_facts())


@case("windows, evidence has another file")
def renamed(make: Maker) -> None:
    """Equal to 100 ns is no accident, though evidence and telemetry name the file differently."""
    process = _seen(make, make.process(make.device("windows")))
    other = make.twin(process, 0, make.dice.choice(["name", "hash", "command line"]))
    make.evidence(process, carries=EVERYTHING, facts=other.facts)


@case("evidence has a bare name or a folder for a path")
def pathless(make: Maker) -> None:
    """Name file or folder where a path is expected, as evidence does that knows only one."""
    platform = make.dice.choice(["windows", "linux"])
    process = _seen(make, make.process(make.device(platform)))
    path, name = process.facts["FolderPath"], process.facts["FileName"]
    bare = {"FileName": name, "FolderPath": name}
    told = make.dice.choice([bare, {"FolderPath": path.removesuffix(name)[:-1]}])
    off = 0 if platform == "linux" else _off(make, platform)
    time = in_evidence(process, make.call) + off
    make.evidence(process, time=time, facts=told)


@case("path spelled otherwise")
def respelled(make: Maker) -> None:
    """Spell a path as the kernel does, or by a link; it is the same file."""
    platform = make.dice.choice(["windows", "linux"])
    process = _seen(make, make.process(make.device(platform)))
    path = process.facts["FolderPath"]
    told = (
        f"\\Device\\HarddiskVolume3{path[2:]}" if platform == "windows" else f"/proc/1/root{path}"
    )
    off = 0 if platform == "linux" else _off(make, platform)
    time = in_evidence(process, make.call) + off
    make.evidence(process, time=time, facts={**process.facts, "FolderPath": told})


@case("few alerts, whole ms by chance", FEW, most=12)
def few(make: Maker) -> None:
    """So few times with zeros at their end do not make a source coarse."""
    process = make.process(make.device("windows"), cut(make.time("windows"), MS))
    make.starts(process, make.twin(process, make.dice.choice([300 * US, -300 * US]), *PROGRAM))
    make.evidence(process)


@case("macOS")
def macos(make: Maker) -> None:
    """Show a process that is known to 1 us everywhere."""
    make.evidence(_seen(make, make.process(make.device("macos"))), carries=make.some_facts())


@case("linux, evidence cut to 10 ms")
def linux(make: Maker) -> None:
    """Evidence, and what the process did, are cut; its own row is not."""
    make.evidence(_seen(make, make.process(make.device("linux"))), carries=make.some_facts())


@case("linux, evidence with microseconds")
def fine(make: Maker) -> None:
    """Evidence is as fine as the own row, with others of the pid within the tolerance."""
    process = _seen(make, make.process(make.device("linux")))
    make.starts(make.twin(process, make.dice.choice([30 * US, -30 * US, 2 * MS]), *PROGRAM))
    make.evidence(process, fine=True, carries=make.some_facts())


@case("linux, at the edge of 10 ms")
def edge(make: Maker) -> None:
    """Start with the first or the last microsecond that is cut to one time."""
    at = cut(make.time("linux"), SLOT) + make.dice.choice([0, SLOT - US])
    make.evidence(_seen(make, make.process(make.device("linux"), at)), carries=make.some_facts())


@case("linux, platform told by paths only")
def untold(make: Maker) -> None:
    """Leave it to telemetry's paths to say which platform the device has."""
    process = _seen(make, make.process(make.device("linux")))
    make.evidence(process, make.alert(process.created, process.device, told=False))


def _off(make: Maker, platform: str) -> int:
    """Return how far a time is off: as finely as the platform counts, within the tolerance."""
    step = 1 if platform == "windows" else US
    return make.dice.choice([-1, 1]) * make.dice.randrange(step, 10 * MS + 1, step)


@case("windows, a little off, facts agree")
def agreeing(make: Maker) -> None:
    """Evidence misses the time by up to 10 ms."""
    process = _seen(make, make.process(make.device("windows")))
    time = process.created + _off(make, "windows")
    make.evidence(process, time=time, carries=make.some_facts() | {"SHA1"})


@case("windows, a little off, no facts")
def unknown(make: Maker) -> None:
    """Nothing contradicts, and Windows keeps no pid over exec."""
    process = _seen(make, make.process(make.device("windows")))
    make.evidence(process, time=process.created + _off(make, "windows"))


@case("windows, too far off")
def beyond(make: Maker) -> None:
    """Miss the time by more than the tolerance, if only by a tick."""
    process = _seen(make, make.process(make.device("windows")))
    off = 10 * MS + make.dice.choice([1, US, MS, SECOND])
    time = process.created + make.dice.choice([-1, 1]) * off
    make.evidence(process, time=time, carries=make.some_facts())


@case("windows, a little off, facts contradict")
def contradicting(make: Maker) -> None:
    """Mean another process, which has not landed."""
    process = _seen(make, make.process(make.device("windows")))
    change = make.dice.choice(["name", "hash", "command line"])
    other = make.twin(process, _off(make, "windows"), change)
    make.evidence(other, carries=EVERYTHING)


@case("linux and macOS, a little off, facts agree")
def posix_agreeing(make: Maker) -> None:
    """Where exec keeps the pid, a fact of the program must agree."""
    platform = make.dice.choice(["linux", "macos"])
    process = _seen(make, make.process(make.device(platform)))
    time = process.created + _off(make, platform)
    carries = make.some_facts() | {make.dice.choice(FILE_FACTS)}
    make.evidence(process, time=time, carries=carries)


@case("linux and macOS, a little off, no facts")
def posix_unknown(make: Maker) -> None:
    """Mean what may as well be what exec made of it."""
    platform = make.dice.choice(["linux", "macos"])
    process = _seen(make, make.process(make.device(platform)))
    make.evidence(process, time=process.created + _off(make, platform) // SLOT * SLOT + 3 * US)


@case("equal distance on both sides")
def middle(make: Maker) -> None:
    """Evidence lies in the middle of two that nothing tells apart."""
    process = make.process(make.device("windows"))
    off = make.dice.randrange(1, 10 * MS)
    make.starts(process, make.twin(process, 2 * off, *PROGRAM))
    make.evidence(process, time=process.created + off)


@case("equal distance on both sides, a fact decides")
def told_middle(make: Maker) -> None:
    """Evidence lies in the middle of two that its facts tell apart."""
    process = make.process(make.device("windows"))
    off, change = make.dice.randrange(1, 10 * MS), make.dice.choice(["name", "hash"])
    other = make.twin(process, make.dice.choice([-2, 2]) * off, change)
    make.starts(process, other)
    make.evidence(process, time=(process.created + other.created) // 2, carries=EVERYTHING)


@case("alerts cut to ms", MS_CUT)
@case("alerts rounded to ms", MS_ROUNDED)
@case("alerts cut to seconds", SECONDS)
@case("alerts rounded to seconds", SECONDS_ROUNDED)
def coarse(make: Maker) -> None:
    """All alerts of a day show times that are coarser than telemetry's."""
    platform = make.dice.choice(["windows", "macos", "linux"])
    process = _seen(make, make.process(make.device(platform)))
    make.starts(make.twin(process, make.dice.randrange(2 * SECOND, HOUR, US), *PROGRAM))
    make.evidence(process, carries=make.some_facts())


@case("alerts cut to ms, pid used again", MS_CUT)
@case("alerts rounded to ms, pid used again", MS_ROUNDED)
@case("alerts cut to seconds, pid used again", SECONDS)
@case("alerts rounded to seconds, pid used again", SECONDS_ROUNDED)
def coarse_again(make: Maker) -> None:
    """Others had the pid, at about the time that is shown."""
    process = _seen(make, make.process(make.device(make.dice.choice(["windows", "macos"]))))
    step = make.call.step
    for gap in make.dice.sample(range(US, 2 * step, US), 2):
        make.starts(make.twin(process, gap * make.dice.choice([-1, 1]), *PROGRAM))
    make.evidence(process, carries=make.some_facts())


@case("one source cut to ms, another one not", TWO_SOURCES)
def two_sources(make: Maker) -> None:
    """Let each source be as fine as it is, whatever the other one shows."""
    process = _seen(make, make.process(make.device("windows")))
    for gap in make.dice.sample(range(-MS, MS, US), 2):
        make.starts(make.twin(process, gap + 1, *PROGRAM))
    for source in ("graph", "mde"):
        alert = make.alert(process.created, process.device, source=source)
        make.evidence(process, alert, carries=make.some_facts())
