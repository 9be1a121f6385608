"""Chains: exec keeps the pid, and moves the creation time by 30 us to 14 ms."""

from dataclasses import replace

from accuracy.case import case
from accuracy.maker import CHANGES, PROGRAM, Maker
from accuracy.sources import SLOT, cut
from accuracy.worlds import EVERYTHING, FACTS, FILE_FACTS, MS, PARENT, US, Process


def _gaps(make: Maker, longest: int = 14 * MS) -> list[int]:
    return [make.dice.randrange(30 * US, longest, US) for _ in range(make.dice.randrange(1, 5))]


def _within(make: Maker, *changes: str) -> list[Process]:
    """Return a chain inside one interval of 10 ms, each link other than the last one by this."""
    device = make.device("linux")
    first = make.process(device, cut(make.time("linux"), SLOT) + make.dice.randrange(MS) // US * US)
    chain = make.chain(first, _gaps(make, 2 * MS), *changes)
    make.crowd(device)
    make.starts(*chain)
    for link in chain:
        make.acts(link)
    return chain


def _own_parents(chain: list[Process]) -> list[Process]:
    """Return a chain in which each link counts as started by the one before."""
    found = chain[:1]
    for link in chain[1:]:
        found.append(replace(link, parent=found[-1]))
    return found


def _any_chain(make: Maker, platform: str) -> list[Process]:
    chain = make.chain(make.process(make.device(platform)), _gaps(make), *PROGRAM)
    if make.dice.random() < 0.5:
        chain = _own_parents(chain)
    make.crowd(chain[0].device)
    return chain


@case("linux exec, time decides")
def timed(make: Maker) -> None:
    """Give the one that is meant 10 ms for itself."""
    chain = _any_chain(make, "linux")
    far = make.twin(chain[-1], SLOT, *PROGRAM)
    make.starts(*chain, far)
    make.acts(far, 2)
    make.evidence(far)


@case("linux exec, any link, any facts")
def linux(make: Maker) -> None:
    """Mean some link; time or facts may tell which, or nothing."""
    chain = _any_chain(make, "linux")
    make.starts(*chain)
    for link in chain:
        make.acts(link)
    for link in chain:
        make.evidence(link, carries=make.some_facts(), fine=make.dice.random() < 0.2)


@case("macOS exec")
def macos(make: Maker) -> None:
    """Microseconds tell the links apart."""
    chain = _any_chain(make, "macos")
    make.starts(*chain)
    for link in chain:
        make.acts(link)
        make.evidence(link, carries=make.some_facts())


def _only(name: str, change: str, carries: frozenset[str]) -> None:
    @case(f"linux exec within 10 ms, {name} decides")
    def told(make: Maker) -> None:
        chain = _within(make, change)
        make.evidence(make.dice.choice(chain), carries=carries)


_only("file name", "name", EVERYTHING - {"FolderPath"})
_only("path", "path", EVERYTHING)
_only("hash", "hash", EVERYTHING)
_only("SHA1 alone", "hash", frozenset({"SHA1"}))
_only("command line", "command line", EVERYTHING)
_only("parent", "parent", EVERYTHING)
_only("account", "account", EVERYTHING)


@case("linux exec within 10 ms, facts do not decide")
def alike(make: Maker) -> None:
    """Carry only what is the same for every link."""
    change = make.dice.choice(sorted(CHANGES))
    changed = (*CHANGES[change], *([PARENT] if change == "parent" else []))
    make.evidence(make.dice.choice(_within(make, change)), carries=make.some_facts() - {*changed})


@case("linux exec within 10 ms, telemetry shows no facts")
def mute(make: Maker) -> None:
    """Evidence carries facts, and telemetry has nothing to hold against them."""
    first = make.process(make.device("linux"), cut(make.time("linux"), SLOT))
    chain = make.chain(replace(first, shows=frozenset()), _gaps(make, 2 * MS), *PROGRAM)
    make.starts(*chain)
    make.evidence(make.dice.choice(chain), carries=EVERYTHING)


@case("linux exec within 10 ms, the true link not landed")
def lost(make: Maker) -> None:
    """Telemetry has another link of the same 10 ms, which is another program."""
    first = make.process(make.device("linux"), cut(make.time("linux"), SLOT))
    chain = make.chain(first, [make.dice.randrange(30 * US, 9 * MS, US)], *PROGRAM)
    make.dice.shuffle(chain)
    make.starts(chain[0])
    make.acts(chain[0])
    make.evidence(chain[1], carries=make.some_facts() | {make.dice.choice(["FileName", "SHA256"])})


@case("exec, the true link not landed")
def neighbour(make: Maker) -> None:
    """Telemetry has the next link, within the tolerance, which is another program."""
    chain = make.chain(make.process(make.device("macos")), _gaps(make), *PROGRAM)
    lost = make.dice.choice(chain)
    make.starts(*(link for link in chain if link is not lost))
    make.evidence(lost, carries=make.some_facts() | {make.dice.choice(["FileName", "SHA256"])})


@case("exec, the true link not landed, only account and parent known")
def kin(make: Maker) -> None:
    """Show the next link, with the same account and parent, as exec keeps both."""
    chain = make.chain(make.process(make.device("macos")), _gaps(make), *PROGRAM)
    lost = make.dice.choice(chain)
    make.starts(*(link for link in chain if link is not lost))
    make.evidence(lost, carries={PARENT, *FACTS}.difference(FILE_FACTS))
