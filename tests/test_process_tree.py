from collections.abc import Sequence

import pytest
from days import LINUX, MS, TEN_MS, Row, T, alert, device, process, started
from hypothesis import given, settings
from hypothesis import strategies as st
from kin import CURL, birth, born, by, deed, family, lines, parent

from etl import ticks

HOUR = ticks.PER_HOUR


def test_a_plain_windows_chain() -> None:
    """Ancestors up to the root and descendants for two generations, each with its parent."""
    found = family(
        birth(5, -900, "explorer.exe", **by(0, None)),
        birth(6, -50, "winword.exe", **by(5, -900)),
        birth(7, 0, "powershell.exe", **by(6, -50), **parent(5, -900)),
        birth(8, 10, "update.exe", **by(7, 0)),
        birth(9, 20, "whoami.exe", **by(8, 10)),
        birth(10, 30, "too deep.exe", **by(9, 20)),
        birth(11, 40, "sibling.exe", **by(6, -50)),
    )

    assert lines(found) == [
        (-2, 5, -900, None, None, "explorer.exe", True),
        (-1, 6, -50, 5, -900, "winword.exe", True),
        (0, 7, 0, 6, -50, "powershell.exe", True),
        (1, 8, 10, 7, 0, "update.exe", True),
        (2, 9, 20, 8, 10, "whoami.exe", True),
    ]
    assert found.tree["Generation"].to_list() == [0, 1, 2, 3, 4]
    assert found.tree["EvidenceIds"].to_list() == [[], [], ["e1"], [], []]


def test_a_row_tells_all_that_its_process_is() -> None:
    """File, command line, account and time of a process are those of its creation row."""
    row = born(
        7, 0, CURL, "curl x", FolderPath="/bin/curl", AccountName="ada", SHA1="d" * 40,
        DeviceName="wks-1", **by(6, -50, "bash", AccountName="root"),
    )  # fmt: skip
    found = family(row, deed("net", 5, **by(7, 0, "CURL", CommandLine="else", AccountName="eva")))
    own = found.tree.filter(Depth=0).row(0, named=True)
    above = found.tree.filter(Depth=-1).row(0, named=True)

    facts = ("FileName", "FolderPath", "ProcessCommandLine", "SHA1", "SHA256", "AccountName")
    assert [own[fact] for fact in facts] == [
        "curl", "/bin/curl", "curl x", "d" * 40, "c" * 64, "ada",
    ]  # fmt: skip
    assert own["ProcessCreationTime"].isoformat() == "2026-01-10T03:04:05.120000+00:00"
    assert [above[fact] for fact in facts] == ["bash", None, None, None, None, "root"]
    assert above["DeviceName"] == "wks-1"


def test_missing_creation_rows_are_inferred() -> None:
    """Processes known from what others say are in the tree, and not observed."""
    found = family(
        birth(9, 20, "child.exe", **by(8, 10, "shell.exe"), **parent(7, 0, "word.exe")),
        deed("net", 5, **by(7, 0, "Word.exe"), **parent(6, -50, "explorer.exe")),
    )

    assert lines(found) == [
        (-1, 6, -50, None, None, "explorer.exe", False),
        (0, 7, 0, 6, -50, "Word.exe", False),
        (1, 8, 10, 7, 0, "shell.exe", False),
        (2, 9, 20, 8, 10, "child.exe", True),
    ]


def test_initiating_and_parent_are_not_confused() -> None:
    """Who initiated a creation is the parent; in other tables it is the actor, its parent named."""
    found = family(
        birth(7, 0, "own", **by(6, -50, "mother"), **parent(5, -90, "grandmother")),
        DeviceEvents=[
            deed("about", 5, "OpenProcessApiCall", ProcessId=7, ProcessCreationTicks=T,
                 **by(50, -1, "stranger"), **parent(51, -2, "its parent")),
        ],
        DeviceFileEvents=[deed("file", 6, **by(7, 0, "own"), **parent(6, -50, "mother"))],
    )  # fmt: skip

    assert lines(found) == [
        (-2, 5, -90, None, None, "grandmother", False),
        (-1, 6, -50, 5, -90, "mother", False),
        (0, 7, 0, 6, -50, "own", True),
    ]


def test_a_row_of_another_action_starts_nobody() -> None:
    """A process that opens another is not its parent, whatever table tells it."""
    found = family(
        birth(8, 10, "target", ActionType="OpenProcess", **by(7, 0, "own")),
        birth(7, 0, "own"),
    )

    assert lines(found) == [(0, 7, 0, None, None, "own", True)]


def test_aggregated_reports_build_no_tree() -> None:
    """Rows that sum up an hour make no process and no parent."""
    report = "ProcessCreatedAggregatedReport"
    found = family(
        birth(7, 0, "own"),
        birth(8, 10, "many", ActionType=report, **by(7, 0)),
        DeviceFileEvents=[
            deed("a", 5, "FileCreatedAggregatedReport", **by(7, 0), **parent(6, -50)),
            deed("b", 6, "FileCreatedAggregatedReport", **by(9, 20), **parent(7, 0)),
        ],
    )

    assert lines(found) == [(0, 7, 0, None, None, "own", True)]


def test_a_process_known_from_a_report_alone_is_there() -> None:
    """A matched process has its row even where an aggregated report is all that names it."""
    found = family(
        evidence=[process(FileName="own")],
        DeviceFileEvents=[deed("a", 5, "FileCreatedAggregatedReport", **by(7, 0, "Own"))],
    )

    assert lines(found) == [(0, 7, 0, None, None, "own", False)]


@pytest.mark.parametrize(
    "mother",
    [by(0, -50), by(4, -50), by(6, None), by(None, -50), by(7, 0), by(None, None)],
    ids=["pid 0", "System", "no time", "no pid", "itself", "nothing"],
)
def test_what_is_no_key_is_no_parent(mother: Row) -> None:
    """Pid 0, System, half keys and a process itself are nobody's parent."""
    found = family(birth(7, 0, "own", **mother), birth(8, 10, "child", **by(7, 0)))

    assert lines(found) == [
        (0, 7, 0, None, None, "own", True),
        (1, 8, 10, 7, 0, "child", True),
    ]


def test_pid_four_is_a_parent_on_linux() -> None:
    """Only Windows has a System process of that number."""
    found = family(birth(7, 0, "own", **by(4, -TEN_MS, "kthreadd")), devices=LINUX)

    assert lines(found)[0] == (-1, 4, -TEN_MS, None, None, "kthreadd", False)


@pytest.mark.parametrize("row", [birth(0, 10), birth(8, 0) | {"ProcessCreationTicks": None}])
def test_what_is_no_key_is_no_child(row: Row) -> None:
    """A child without a whole key cannot be told from others, so it is no process of the tree."""
    found = family(birth(7, 0, "own"), row | by(7, 0))

    assert lines(found) == [(0, 7, 0, None, None, "own", True)]


def test_a_reused_pid_is_another_process() -> None:
    """Other lives of a pid have parents and children of their own."""
    found = family(
        birth(6, -2 * HOUR, "mother", **by(3, -3 * HOUR)),
        birth(6, HOUR, "stranger", **by(2, 0)),
        birth(7, -HOUR, "former", **by(6, -2 * HOUR)),
        birth(7, 0, "own", **by(6, -2 * HOUR)),
        birth(8, 10, "child", **by(7, 0)),
        birth(9, 20, "child of the former", **by(7, -HOUR)),
    )

    assert lines(found) == [
        (-2, 3, -3 * HOUR, None, None, None, False),
        (-1, 6, -2 * HOUR, 3, -3 * HOUR, "mother", True),
        (0, 7, 0, 6, -2 * HOUR, "own", True),
        (1, 8, 10, 7, 0, "child", True),
    ]


def test_a_loop_is_opened() -> None:
    """Processes that claim to be each other's parents make a tree from the earliest on."""
    found = family(
        birth(7, 0, "own", **by(6, 5)),
        birth(6, 5, "mother", **by(8, -5)),
        birth(8, -5, "eldest", **by(7, 0)),
    )

    assert lines(found) == [
        (-2, 8, -5, None, None, "eldest", True),
        (-1, 6, 5, 8, -5, "mother", True),
        (0, 7, 0, 6, 5, "own", True),
    ]


def test_a_long_line_is_bounded() -> None:
    """No line of ancestors is followed further than 32 generations."""
    rows = [birth(7 + n, -n, **by(8 + n, -n - 1)) for n in range(40)]
    depths = [line[0] for line in lines(family(*rows))]

    assert depths == list(range(-32, 1))


def test_alerts_share_a_process() -> None:
    """Each alert has a tree of its own, with depths counted from its own evidence."""
    rows = [birth(6, -50, **by(5, -90)), birth(7, 0, **by(6, -50)), birth(8, 10, **by(7, 0))]
    found = family(
        *rows,
        evidence=[process(), process(pid=6, at=T - 50, AlertId="a2"), process(pid=9, AlertId="a3")],
        alerts=[alert(), alert("a2"), alert("a3")],
        devices=[device(), device(alert_id="a2"), device(alert_id="a3")],
    )

    depths = {name: [line[:2] for line in lines(found, name)] for name in ("a1", "a2", "a3")}
    assert depths == {
        "a1": [(-2, 5), (-1, 6), (0, 7), (1, 8)],
        "a2": [(-1, 5), (0, 6), (1, 7), (2, 8)],
        "a3": [],
    }


def test_evidence_of_one_line_is_depth_zero_each() -> None:
    """The evidence's processes are all 0; what lies between two is a descendant."""
    rows = [birth(6 + n, n * 10, **by(5 + n, n * 10 - 10)) for n in range(5)]
    found = family(
        *rows, evidence=[process(pid=6), process(pid=10, at=T + 40, EvidenceId="e2"),
                         process(pid=10, at=T + 40, EvidenceId="e3")],
    )  # fmt: skip

    assert [line[:2] for line in lines(found)] == [
        (-1, 5),
        (0, 6),
        (1, 7),
        (2, 8),
        (-1, 9),
        (0, 10),
    ]
    assert found.tree.filter(ProcessId=10)["EvidenceIds"].to_list() == [["e2", "e3"]]


def test_children_come_by_time_below_their_parent() -> None:
    """The order is that of a walk downwards, so that a person can indent by generation."""
    found = family(
        birth(7, 0, "own"),
        birth(9, 20, "second", **by(7, 0)),
        birth(8, 10, "first", **by(7, 0)),
        birth(6, 30, "of the first", **by(8, 10)),
    )
    rows = found.tree.sort("Position").select("Position", "Generation", "FileName").rows()

    assert rows == [(1, 0, "own"), (2, 1, "first"), (3, 2, "of the first"), (4, 1, "second")]


def test_what_matches_nothing_has_no_tree() -> None:
    """Ambiguous evidence, pivots and misses have no processes to tell of."""
    found = family(started("a", at=T - 5), started("b", at=T + 5))

    assert found.only["Reason"] == "ambiguous"
    assert found.tree.is_empty()
    assert found.timeline.is_empty()


LINKS = st.lists(
    st.tuples(
        st.integers(6, 9), st.integers(-2, 2), st.integers(6, 9), st.integers(-2, 2),
        st.sampled_from(["birth", "deed", "report"]),
    ),
    max_size=10,
)  # fmt: skip


@settings(max_examples=30)
@given(LINKS, st.sampled_from([(device(),), LINUX]), st.sampled_from([1, 4 * MS]))
def test_every_tree_is_one(
    links: list[tuple[int, int, int, int, str]], devices: Sequence[Row], step: int
) -> None:
    """Whatever rows claim, a process has one place, below its parent, and is not above itself."""
    births, deeds = [], []
    for n, (pid, at, up, before, kind) in enumerate(links):
        mother = by(up, before * step)
        if kind == "birth":
            births.append(birth(pid, at * step, **mother) | {"EventId": str(n)})
        else:
            action = "FileCreatedAggregatedReport" if kind == "report" else "FileCreated"
            deeds.append(
                deed(str(n), at, action, **by(pid, at * step), **parent(up, before * step))
            )
    evidence = [process(), process(pid=8, EvidenceId="e2")]
    found = family(*births, evidence=evidence, devices=devices, DeviceFileEvents=deeds)
    rows = {row["Position"]: row for row in found.tree.iter_rows(named=True)}
    places = {(row["ProcessId"], row["ProcessCreationTicks"]): row for row in rows.values()}

    assert sorted(rows) == list(range(1, found.tree.height + 1))
    for row in rows.values():
        above = places.get((row["ParentProcessId"], row["ParentProcessCreationTicks"]))
        if above is None:
            assert row["Generation"] == 0
            continue
        assert (above["Position"] < row["Position"], above["Generation"] + 1) == (
            True, row["Generation"],
        )  # fmt: skip
        assert row["Depth"] <= 0 or above["Depth"] == row["Depth"] - 1
        assert row["Depth"] >= 0 or above["Depth"] >= row["Depth"] - 1
    matched = found.correlation.filter(MatchTier="exact")["EvidenceId"]
    named = found.tree.filter(Depth=0)["EvidenceIds"].explode()
    assert set(matched) <= set(named)
