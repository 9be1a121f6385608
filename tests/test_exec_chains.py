from days import LINUX, MACOS, MS, TEN_MS, US, T, process
from kin import BASH, CURL, SH, born, by, deed, family, lines, of, parent

from etl import ticks

HOUR = ticks.PER_HOUR


def test_an_exec_on_macos_is_a_chain() -> None:
    """A program that another one of the same pid became is its child, not itself."""
    found = family(
        born(7, 0, BASH, "bash", **by(6, -TEN_MS, "launchd")),
        born(7, 30 * US, CURL, "curl x", **of(7, 0, BASH, "bash"), **parent(6, -TEN_MS)),
        born(8, 50 * US, SH, "sh", **of(7, 30 * US, CURL, "curl x"), **parent(7, 0)),
        evidence=[process(at=T + 30 * US)],
        devices=MACOS,
    )

    assert lines(found) == [
        (-2, 6, -TEN_MS, None, None, "launchd", False),
        (-1, 7, 0, 6, -TEN_MS, "bash", True),
        (0, 7, 30 * US, 7, 0, "curl", True),
        (1, 8, 50 * US, 7, 30 * US, "sh", True),
    ]


def test_an_exec_on_linux_is_a_chain() -> None:
    """So it is where both programs of the pid are named by the same 10 ms."""
    found = family(
        born(7, 1 * US, BASH, "bash", **by(6, -TEN_MS, "sshd")),
        born(7, 30 * US, CURL, "curl x", **of(7, 0, BASH, "bash"), **parent(6, -TEN_MS)),
        born(8, 50 * US, SH, "sh", **of(7, 0, CURL, "curl x"), **parent(7, 0, "bash")),
        evidence=[process(at=T + 30 * US)],
        devices=LINUX,
    )

    assert lines(found) == [
        (-2, 6, -TEN_MS, None, None, "sshd", False),
        (-1, 7, 1 * US, 6, -TEN_MS, "bash", True),
        (0, 7, 30 * US, 7, 1 * US, "curl", True),
        (1, 8, 50 * US, 7, 30 * US, "sh", True),
    ]


def test_an_exec_in_the_next_slot_is_a_chain() -> None:
    """A program that started up to 14 ms after the one it replaced has a slot of its own."""
    found = family(
        born(7, 9 * MS, BASH, "bash", **by(6, -TEN_MS, "sshd")),
        born(7, 22 * MS, BASH, "bash", **of(7, 0, BASH, "bash"), **parent(6, -TEN_MS)),
        born(8, 30 * MS, SH, "sh", **of(7, 2 * TEN_MS, BASH, "bash"), **parent(7, 0)),
        evidence=[process(at=T + 22 * MS)],
        devices=LINUX,
    )

    assert [line[:5] for line in lines(found)] == [
        (-2, 6, -TEN_MS, None, None),
        (-1, 7, 9 * MS, 6, -TEN_MS),
        (0, 7, 22 * MS, 7, 9 * MS),
        (1, 8, 30 * MS, 7, 22 * MS),
    ]


def test_a_chain_of_equals_goes_by_time() -> None:
    """Where three programs of a slot are alike, each became the next one."""
    rows = [
        born(7, n * MS, BASH, "bash", **(of(7, 0, BASH, "bash") if n > 1 else by(6, -TEN_MS)))
        for n in (1, 2, 3)
    ]
    found = family(*rows, evidence=[process(at=T + 3 * MS)], devices=LINUX)

    assert [line[:5] for line in lines(found)] == [
        (-3, 6, -TEN_MS, None, None),
        (-2, 7, 1 * MS, 6, -TEN_MS),
        (-1, 7, 2 * MS, 7, 1 * MS),
        (0, 7, 3 * MS, 7, 2 * MS),
    ]


def test_a_cut_name_means_the_one_process_of_its_slot() -> None:
    """On Linux a process named to 10 ms is the one that started in those, if its file agrees."""
    found = family(
        born(6, 3 * MS - TEN_MS, BASH, "bash", **by(3, -HOUR)),
        born(7, 4 * MS, CURL, "curl x", **of(6, -TEN_MS, BASH, "bash")),
        born(8, TEN_MS, SH, "sh", **of(7, 0, CURL, "curl x")),
        devices=LINUX,
    )

    assert lines(found) == [
        (-2, 3, -HOUR, None, None, None, False),
        (-1, 6, 3 * MS - TEN_MS, 3, -HOUR, "bash", True),
        (0, 7, 4 * MS, 6, 3 * MS - TEN_MS, "curl", True),
        (1, 8, TEN_MS, 7, 4 * MS, "sh", True),
    ]


def test_a_cut_name_of_another_file_is_another_process() -> None:
    """A program that was not seen to start is not the one seen in the same slot."""
    found = family(
        born(7, 4 * MS, CURL, "curl x", **of(7, 0, BASH, "bash"), **parent(6, -TEN_MS)),
        born(8, TEN_MS, SH, "sh", **of(7, 0, BASH, "bash")),
        evidence=[process(at=T + 4 * MS)],
        devices=LINUX,
    )

    assert lines(found) == [
        (-2, 6, -TEN_MS, None, None, None, False),
        (-1, 7, 0, 6, -TEN_MS, "bash", False),
        (0, 7, 4 * MS, 7, 0, "curl", True),
    ]


def test_facts_tell_programs_of_a_slot_apart() -> None:
    """Of two programs of a slot the one whose file or command line agrees is meant."""
    found = family(
        born(7, 1 * MS, BASH, "bash", **by(6, -TEN_MS)),
        born(7, 2 * MS, BASH, "bash x.sh", **of(7, 0, BASH, "bash")),
        born(8, TEN_MS, SH, "of the fork", **of(7, 0, BASH, "bash")),
        born(9, TEN_MS, SH, "of the exec", **of(7, 0, BASH, "bash x.sh")),
        evidence=[process(at=T + 2 * MS)],
        devices=LINUX,
    )

    assert lines(found) == [
        (-2, 6, -TEN_MS, None, None, None, False),
        (-1, 7, 1 * MS, 6, -TEN_MS, "bash", True),
        (0, 7, 2 * MS, 7, 1 * MS, "bash", True),
        (1, 9, TEN_MS, 7, 2 * MS, "sh", True),
    ]


def test_what_nothing_tells_apart_is_linked_to_neither() -> None:
    """A parent that could be either of two programs is a process of its own, not observed."""
    found = family(
        born(7, 1 * MS, BASH, "bash", **by(6, -TEN_MS)),
        born(7, 2 * MS, BASH, "bash", **by(6, -TEN_MS)),
        born(8, TEN_MS, SH, "sh"),
        evidence=[process(pid=8, at=T + TEN_MS)],
        devices=LINUX,
        DeviceFileEvents=[deed("x", TEN_MS, **by(8, TEN_MS), **parent(7, 0, "bash"))],
    )

    assert lines(found) == [
        (-1, 7, 0, None, None, "bash", False),
        (0, 8, TEN_MS, 7, 0, "sh", True),
    ]


def test_what_started_later_is_no_parent() -> None:
    """Of two programs of a slot, only one that was there before the child can have started it."""
    found = family(
        born(7, 1 * MS, BASH, "bash", **by(6, -TEN_MS)),
        born(8, 2 * MS, SH, "sh", **by(7, 0)),
        born(7, 3 * MS, CURL, "curl"),
        evidence=[process(pid=8, at=T + 2 * MS)],
        devices=LINUX,
    )

    assert lines(found)[1:] == [
        (-1, 7, 1 * MS, 6, -TEN_MS, "bash", True),
        (0, 8, 2 * MS, 7, 1 * MS, "sh", True),
    ]
