from collections.abc import Sequence
from datetime import timedelta

import polars as pl
import pytest
from days import (
    LINUX,
    MACOS,
    MS,
    NOW,
    PROCESS,
    TEN_MS,
    TOLERANCE,
    US,
    Row,
    T,
    alert,
    caused,
    device,
    match,
    process,
    pull,
    started,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import ticks
from etl.contracts.hunting import EVENT_TABLES
from etl.models.correlation import RETENTION

NETWORK = "DeviceNetworkEvents"


def test_equal_ticks_are_exact() -> None:
    """Device, pid and ticks equal is exact: the process's own row and all that it caused."""
    found = match(
        [process()],
        DeviceProcessEvents=[started("own"), caused("child"), started("other", at=T + 1)],
        DeviceNetworkEvents=[caused("net")],
        DeviceEvents=[caused("event"), started("about")],
    )
    assert found.verdict == ("exact", T, None)
    assert found.events == {
        ("own", "subject", "exact"),
        ("child", "initiator", "exact"),
        ("net", "initiator", "exact"),
        ("event", "initiator", "exact"),
        ("about", "subject", "exact"),
    }
    assert found.only["Events"] == 5
    assert found.correlated["TimeDeltaTicks"].unique().to_list() == [0]


@pytest.mark.parametrize("table", EVENT_TABLES)
def test_a_process_known_only_as_initiator_matches(table: str) -> None:
    """A process whose start is in no table is found by what it did, in any table."""
    found = match([process()], **{table: [caused("did")]})
    assert found.verdict == ("exact", T, None)
    assert found.events == {("did", "initiator", "exact")}


def test_an_event_about_its_own_initiator_comes_once() -> None:
    """An event that is about the process and caused by it counts once, as about it."""
    row = started("both") | {"InitiatingProcessId": 7, "InitiatingProcessCreationTicks": T}
    found = match([process()], DeviceProcessEvents=[row])
    assert found.events == {("both", "subject", "exact")}


def test_evidence_cut_to_ten_milliseconds_is_precision() -> None:
    """Linux evidence cut to 10 ms means the one own row in that interval, whatever its distance."""
    own = T + 9_999 * US
    found = match([process()], devices=LINUX, DeviceProcessEvents=[started("own", at=own)])
    assert found.verdict == ("precision", own, None)
    assert found.events == {("own", "subject", "precision")}
    assert found.correlated["TimeDeltaTicks"].to_list() == [9_999 * US]


def test_the_next_interval_is_another_process() -> None:
    """A row 10 ms later is not the same once both are cut, and nothing else says that it is."""
    found = match(
        [process()], devices=LINUX, DeviceProcessEvents=[started("own", at=T + TEN_MS + US)]
    )
    assert found.verdict == ("none", None, "no_match")


def test_two_programs_in_one_interval_are_ambiguous() -> None:
    """Two exec instances of a pid within the same 10 ms match neither."""
    found = match(
        [process()],
        devices=LINUX,
        DeviceProcessEvents=[started("one", at=T + 30 * US), started("two", at=T + 500 * US)],
    )
    assert found.verdict == ("none", None, "ambiguous")
    assert found.only["Candidates"] == 2
    assert found.correlated.is_empty()


def test_an_exec_instance_on_the_cut_is_no_better() -> None:
    """A row exactly on the cut instant is no decision when another one shares the interval."""
    found = match(
        [process()],
        devices=LINUX,
        DeviceProcessEvents=[started("one", at=T), started("two", at=T + 500 * US)],
    )
    assert found.verdict == ("none", None, "ambiguous")


def test_evidence_with_microseconds_tells_exec_instances_apart() -> None:
    """Linux evidence that kept its microseconds finds its own row among neighbours."""
    own = T + 30 * US
    found = match(
        [process(at=own)],
        devices=LINUX,
        DeviceProcessEvents=[started("one", at=own), started("two", at=T + 500 * US)],
    )
    assert found.verdict == ("exact", own, None)


def test_initiators_cut_to_ten_milliseconds_belong_to_the_own_row() -> None:
    """What the process did, known to 10 ms only, belongs to the one own row of the interval."""
    own = T + 500 * US
    found = match(
        [process()],
        devices=LINUX,
        DeviceProcessEvents=[started("own", at=own)],
        DeviceNetworkEvents=[caused("net", at=T)],
    )
    assert found.verdict == ("precision", own, None)
    assert {event for event, _, _ in found.events} == {"own", "net"}


def test_initiators_cut_to_ten_milliseconds_belong_to_neither_of_two() -> None:
    """With two own rows in the interval, a cut initiator is tied to none of them."""
    own = T + 500 * US
    found = match(
        [process(at=own)],
        devices=LINUX,
        DeviceProcessEvents=[started("own", at=own), started("other", at=T + 30 * US)],
        DeviceNetworkEvents=[caused("net", at=T)],
    )
    assert found.events == {("own", "subject", "exact")}


def test_macos_tells_microseconds_apart() -> None:
    """On macOS an exec instance 30 µs later is another process."""
    found = match(
        [process()],
        devices=MACOS,
        DeviceProcessEvents=[started("one", at=T), started("two", at=T + 30 * US)],
    )
    assert found.events == {("one", "subject", "exact")}


def test_a_reused_pid_picks_its_own_time() -> None:
    """Of several lives of one Windows pid, the one that started then is matched."""
    lives = [started(f"life{n}", at=T + n * ticks.PER_HOUR) for n in range(-3, 4)]
    found = match([process()], DeviceProcessEvents=lives)
    assert found.events == {("life0", "subject", "exact")}
    assert found.only["Candidates"] == 1


@pytest.mark.parametrize("delta", [1, -1, 40 * US, TOLERANCE, -TOLERANCE])
def test_the_nearest_within_tolerance_matches_on_windows(delta: int) -> None:
    """Without an equal, the single nearest creation time within the tolerance is taken."""
    far = T + (2 * TOLERANCE if delta > 0 else -2 * TOLERANCE)
    found = match(
        [process()], DeviceProcessEvents=[started("near", at=T + delta), started("far", at=far)]
    )
    assert found.verdict == ("tolerance", T + delta, None)
    assert found.events == {("near", "subject", "tolerance")}
    assert found.correlated["TimeDeltaTicks"].to_list() == [delta]


@pytest.mark.parametrize("delta", [TOLERANCE + 1, -TOLERANCE - 1, ticks.PER_HOUR])
def test_nothing_beyond_the_tolerance_matches(delta: int) -> None:
    """A pid alone never matches, however unique it is."""
    found = match([process()], DeviceProcessEvents=[started("far", at=T + delta)])
    assert found.verdict == ("none", None, "no_match")
    assert found.correlated.is_empty()


def test_no_tolerance_is_exact_only() -> None:
    """With a tolerance of zero, one tick is too much."""
    found = match([process()], tolerance=0, DeviceProcessEvents=[started("near", at=T + 1)])
    assert found.verdict == ("none", None, "no_match")


def test_equal_distance_is_ambiguous() -> None:
    """Two candidates at equal distance match neither."""
    found = match(
        [process()],
        DeviceProcessEvents=[started("before", at=T - 5), started("after", at=T + 5)],
    )
    assert found.verdict == ("none", None, "ambiguous")
    assert found.correlated.is_empty()


def test_exact_beats_what_is_near() -> None:
    """An exact match is not disturbed by neighbours within the tolerance."""
    found = match([process()], DeviceProcessEvents=[started("own"), started("near", at=T + 1)])
    assert found.events == {("own", "subject", "exact")}


def test_a_contradicting_file_rules_out_on_windows() -> None:
    """Within the tolerance, another file is another process."""
    found = match(
        [process(FileName="evil.exe")],
        DeviceProcessEvents=[started("near", at=T + 5, FileName="other.exe")],
    )
    assert found.verdict == ("none", None, "no_match")


def test_a_contradicting_file_leaves_the_one_that_agrees() -> None:
    """At equal distance, the file tells which of two it is."""
    found = match(
        [process(FileName="Evil.exe")],
        DeviceProcessEvents=[
            started("before", at=T - 5, FileName="other.exe"),
            started("after", at=T + 5, FileName="evil.EXE"),
        ],
    )
    assert found.events == {("after", "subject", "tolerance")}


@pytest.mark.parametrize("devices", [LINUX, MACOS], ids=["linux", "macos"])
@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ({}, "none"),
        ({"FileName": "bash"}, "tolerance"),
        ({"FileName": "BASH", "SHA1": "aa"}, "tolerance"),
        ({"SHA256": "CC"}, "tolerance"),
        ({"FileName": "sh"}, "none"),
        ({"FileName": "bash", "SHA256": "dd"}, "none"),
    ],
)
def test_tolerance_wants_a_fact_where_exec_keeps_the_pid(
    devices: Sequence[Row], theirs: Row, expected: str
) -> None:
    """On Linux and macOS a near time needs a file fact that agrees and none that contradicts."""
    at = T + 30 * US
    found = match(
        [process(at=at, FileName="bash", SHA1="AA", SHA256="cc")],
        devices=devices,
        DeviceProcessEvents=[started("near", at=at + 20 * US, **theirs)],
    )
    assert found.verdict[0] == expected


def test_another_device_is_another_process() -> None:
    """Pid and ticks equal on another device is nothing."""
    found = match(
        [process()],
        devices=[device(), device("d2")],
        DeviceProcessEvents=[started("other", DeviceId="d2"), started("else", pid=8)],
    )
    assert found.verdict == ("none", None, "no_match")


def test_evidence_without_device_is_tried_on_each() -> None:
    """Evidence that names no device is found on the one of its alert's devices that has it."""
    found = match(
        [process(device_id=None)],
        devices=[device(), device("d2"), device("d3")],
        DeviceProcessEvents=[started("own", DeviceId="d2"), started("else", pid=8)],
    )
    assert found.verdict == ("exact", T, None)
    assert found.only["DeviceId"] == "d2"
    assert found.correlated["DeviceId"].to_list() == ["d2"]


def test_evidence_without_device_on_two_is_ambiguous() -> None:
    """The same pid and ticks on two of the alert's devices match neither."""
    found = match(
        [process(device_id=None)],
        devices=[device(), device("d2")],
        DeviceProcessEvents=[started("one"), started("two", DeviceId="d2")],
    )
    assert found.verdict == ("none", None, "ambiguous")


def test_another_alerts_device_is_not_tried() -> None:
    """Evidence without a device is tried on the devices of its own alert only."""
    found = match(
        [process(device_id=None)],
        alerts=[alert(), alert("a2")],
        devices=[device(), device("d2", alert_id="a2")],
        DeviceProcessEvents=[started("two", DeviceId="d2")],
    )
    assert found.correlated.is_empty()


@pytest.mark.parametrize(
    "evidence",
    [
        process(pid=None),
        process(at=None),
        process(pid=None, at=None),
        process(pid=0),
        process(pid=4),
        process(EvidenceType="fileEvidence", EntityType="File"),
        process(EvidenceType="brandNewEvidence"),
    ],
    ids=["no pid", "no time", "neither", "pid 0", "system", "file", "unknown type"],
)
def test_what_is_no_key_is_not_joined(evidence: Row) -> None:
    """Half a key, pid 0, System and other evidence have no usable key, whatever the rows say."""
    rows = [started("a"), started("b", pid=0), started("c", pid=4), started("d", pid=None)]
    found = match([evidence], DeviceProcessEvents=rows)
    assert found.verdict == ("none", None, "no_usable_key")


def test_pid_four_is_a_process_on_linux() -> None:
    """Only Windows has a System process of that number."""
    found = match([process(pid=4)], devices=LINUX, DeviceProcessEvents=[started("k", pid=4)])
    assert found.verdict == ("exact", T, None)


@pytest.mark.parametrize("pid", [65_536, 4_194_305, 2**32])
def test_large_pids_match(pid: int) -> None:
    """Pids beyond the usual bounds are real."""
    found = match([process(pid=pid)], DeviceProcessEvents=[started("own", pid=pid)])
    assert found.verdict[0] == "exact"


def test_evidence_without_any_device_has_no_usable_key() -> None:
    """A process without a device, in an alert that names none, cannot be looked for."""
    found = match([process(device_id=None)], devices=(), DeviceProcessEvents=[started("own")])
    assert found.verdict == ("none", None, "no_usable_key")


@pytest.mark.parametrize("status", ["failed", "truncated", "partial"])
def test_an_incomplete_pull_is_no_proof(status: str) -> None:
    """Where a slice is not complete, absence is `incomplete_pull`, never `no_match`."""
    found = match([process()], ledger=[pull(), pull(status)], DeviceNetworkEvents=[caused("n", 9)])
    assert found.verdict == ("none", None, "incomplete_pull")


def test_no_pull_at_all_is_no_proof() -> None:
    """Without a ledger, nothing was asked, so nothing is missing either."""
    assert match([process()], ledger=()).verdict == ("none", None, "incomplete_pull")


def test_an_incomplete_pull_keeps_what_was_found() -> None:
    """A match is a match, whatever else did not come."""
    found = match([process()], ledger=[pull("failed")], DeviceProcessEvents=[started("own")])
    assert found.verdict == ("exact", T, None)


def test_before_the_retention_is_said() -> None:
    """A process that started before hunting's retention cannot be found any more."""
    at = ticks.from_datetime(NOW) - RETENTION - 1
    found = match([process(at=at)], DeviceNetworkEvents=[caused("n", 9)])
    assert found.verdict == ("none", None, "outside_retention")


def test_what_may_still_arrive_is_said() -> None:
    """A process that started minutes before the pull may not have landed yet."""
    at = ticks.from_datetime(NOW - timedelta(minutes=5))
    found = match([process(at=at)], DeviceNetworkEvents=[caused("n", 9)])
    assert found.verdict == ("none", None, "not_landed_yet")


def test_a_silent_device_is_said() -> None:
    """A device without any event says nothing about its processes."""
    found = match(
        [process()],
        devices=[device(), device("d2")],
        DeviceNetworkEvents=[caused("n", 9, DeviceId="d2")],
    )
    assert found.verdict == ("none", None, "device_silent")


def test_the_first_pull_of_the_day_counts() -> None:
    """What was pulled early bounds what can have landed, whenever the last slice ended."""
    at = ticks.from_datetime(NOW - timedelta(minutes=50))
    early = pull(begun=NOW - timedelta(minutes=30))
    found = match([process(at=at)], ledger=[early, pull()], DeviceNetworkEvents=[caused("n", 9)])
    assert found.verdict == ("none", None, "not_landed_yet")


@pytest.mark.parametrize(
    ("platform", "path", "tier"),
    [
        (None, "/usr/bin/bash", "precision"),
        ("", "/usr/bin/bash", "precision"),
        ("Unknown", "/usr/bin/bash", "precision"),
        (None, "/System/Library/x", "none"),
        (None, r"C:\Windows\explorer.exe", "tolerance"),
        ("Windows11", "/usr/bin/bash", "tolerance"),
        ("RedHatEnterpriseLinux", r"C:\Windows\explorer.exe", "precision"),
    ],
)
def test_the_platform_tells_the_precision(platform: str | None, path: str, tier: str) -> None:
    """The device's platform decides how times are cut; without one, its programs' paths do."""
    found = match(
        [process()],
        devices=[device(platform=platform)],
        DeviceProcessEvents=[
            started("own", at=T + 50 * US, FileName=None, InitiatingProcessFolderPath=path)
        ],
    )
    assert found.verdict[0] == tier


def test_one_event_serves_several_evidence_items() -> None:
    """A process that recurs in several alerts is tied to its events in each of them."""
    evidence = [process(), process(EvidenceId="e2"), process(AlertId="a2")]
    found = match(
        evidence,
        alerts=[alert(), alert("a2")],
        devices=[device(), device(alert_id="a2")],
        DeviceProcessEvents=[started("own")],
        DeviceNetworkEvents=[caused("net")],
    )
    assert found.correlated.height == 6
    assert found.correlation["MatchTier"].to_list() == ["exact"] * 3


def test_an_event_id_is_its_tables_own() -> None:
    """Equal event ids in two tables are two events."""
    found = match(
        [process()], DeviceProcessEvents=[caused("same")], DeviceNetworkEvents=[caused("same")]
    )
    assert sorted(found.correlated["EventTable"]) == [NETWORK, PROCESS]


def test_nothing_at_all_makes_empty_marts() -> None:
    """A day without alerts has marts without rows."""
    found = match([], alerts=(), devices=(), ledger=())
    assert found.correlated.is_empty()
    assert found.correlation.is_empty()


INSTANCES = st.lists(
    st.tuples(
        st.sampled_from(["d1", "d2"]),
        st.sampled_from([7, 8]),
        st.integers(-4, 4)
        | st.sampled_from([-TOLERANCE - 1, -TOLERANCE, TOLERANCE, 2 * TOLERANCE]),
        st.booleans(),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=25)
@given(INSTANCES, st.lists(st.tuples(st.sampled_from([7, 8]), st.integers(-3, 3)), max_size=4))
def test_only_the_single_nearest_on_windows(
    instances: list[tuple[str, int, int, bool]], wanted: list[tuple[int, int]]
) -> None:
    """On Windows the match is the single nearest instance within the tolerance, or none."""
    own = [
        started(f"p{n}", pid, T + delta, DeviceId=name)
        for n, (name, pid, delta, is_own) in enumerate(instances)
        if is_own
    ]
    seen = [
        caused(f"n{n}", pid, T + delta, DeviceId=name)
        for n, (name, pid, delta, is_own) in enumerate(instances)
        if not is_own
    ]
    evidence = [process(pid, T + at, EvidenceId=f"e{n}") for n, (pid, at) in enumerate(wanted)]
    found = match(
        evidence,
        devices=[device(), device("d2")],
        DeviceProcessEvents=own,
        DeviceNetworkEvents=seen,
    )
    for row in found.correlation.iter_rows(named=True):
        at = row["ProcessCreationTicks"]
        lives = {T + i[2] for i in instances if (i[0], i[1]) == ("d1", row["ProcessId"])}
        near = sorted((abs(life - at), life) for life in lives if abs(life - at) <= TOLERANCE)
        best = [life for distance, life in near if distance == near[0][0]]
        assert row["MatchedProcessCreationTicks"] == (best[0] if len(best) == 1 else None)
        assert (row["Reason"] == "ambiguous") == (len(best) > 1)
    expected = found.correlation.select("EvidenceId", "MatchedProcessCreationTicks")
    joined = found.correlated.join(expected, on="EvidenceId")
    ticks_of = pl.coalesce("ProcessCreationTicks", "InitiatingProcessCreationTicks")
    assert joined.filter(ticks_of != pl.col("MatchedProcessCreationTicks")).is_empty()
    assert joined.filter(pl.col("DeviceId") != "d1").is_empty()


FACTS = (
    ("FileName", "sh", "curl", "file name"),
    ("SHA1", "AA", "bb", "SHA1"),
    ("SHA256", "AA", "bb", "SHA256"),
    ("ProcessCommandLine", "sh -c a", "sh -c b", "command line"),
    ("FolderPath", "/bin/sh", "/opt/sh", "path"),
    ("AccountName", "Root", "ada", "account"),
)


@pytest.mark.parametrize(("column", "mine", "other", "fact"), FACTS)
def test_a_fact_tells_programs_in_one_interval_apart(
    column: str, mine: str, other: str, fact: str
) -> None:
    """Of two exec instances in the same 10 ms the one that agrees is meant, and why is said."""
    right = T + 500 * US
    found = match(
        [process(**{column: mine})],
        devices=LINUX,
        DeviceProcessEvents=[
            started("other", at=T + 30 * US, **{column: other}),
            started("right", at=right, **{column: mine.upper() if fact == "account" else mine}),
        ],
    )

    assert found.verdict == ("precision", right, None)
    assert fact in found.only["Because"]


def test_a_parent_tells_programs_in_one_interval_apart() -> None:
    """Of two instances in the same 10 ms the one that the evidence's parent started is meant."""
    parent, right = {"InitiatingProcessId": 3}, T + 500 * US
    found = match(
        [process(ParentProcessId=3, ParentProcessCreationTicks=T - TEN_MS)],
        devices=LINUX,
        DeviceProcessEvents=[
            started("other", at=T + 30 * US, InitiatingProcessCreationTicks=T, **parent),
            started("right", at=right, InitiatingProcessCreationTicks=T - TEN_MS, **parent),
        ],
    )

    assert found.verdict == ("precision", right, None)
    assert found.only["Because"] == "equal once cut to 10 ms; of 2 processes told by parent"


def test_facts_that_speak_for_both_tell_nothing() -> None:
    """Where one fact speaks for either of two, neither is meant."""
    found = match(
        [process(FolderPath="/bin/sh", AccountName="ada")],
        devices=LINUX,
        DeviceProcessEvents=[
            started("one", at=T + 30 * US, FolderPath="/bin/sh", AccountName="bob"),
            started("two", at=T + 500 * US, FolderPath="/opt/sh", AccountName="ada"),
        ],
    )

    assert found.verdict == ("none", None, "ambiguous")


def test_another_program_in_the_interval_is_not_meant() -> None:
    """The only instance in the same 10 ms is no match where its program is another one."""
    found = match(
        [process(FileName="curl")],
        devices=LINUX,
        DeviceProcessEvents=[started("own", at=T + 30 * US, FileName="sh")],
    )

    assert found.verdict == ("none", None, "no_match")


def test_two_programs_known_as_initiators_only_are_two() -> None:
    """What two exec instances did in the same 10 ms belongs to each of them, told by file name."""
    sh, curl = (
        {"InitiatingProcessFileName": name, "InitiatingProcessFolderPath": f"/bin/{name}"}
        for name in ("sh", "curl")
    )
    found = match(
        [process(FileName="curl")],
        devices=LINUX,
        DeviceNetworkEvents=[caused("net", **curl), caused("other", **sh)],
        DeviceFileEvents=[caused("file", **curl)],
    )

    assert found.verdict == ("exact", T, None)
    assert {event for event, _, _ in found.events} == {"net", "file"}


@pytest.mark.parametrize("shift", [0, 4_000, 6_000, -4_000])
def test_a_source_that_writes_milliseconds_may_cut_or_round(shift: int) -> None:
    """Where all times of a source are whole milliseconds, a process is found within one of them."""
    evidence = [process(pid, T + pid * 7 * MS, EvidenceId=f"e{pid}") for pid in range(100, 130)]
    rows = [started(f"p{pid}", pid, T + pid * 7 * MS + 1 + shift) for pid in range(100, 130)]
    found = match(evidence, tolerance=0, DeviceProcessEvents=rows)

    assert set(found.correlation["MatchTier"]) == {"precision"}
    assert found.correlation["Because"][0] == "equal once cut to 1 ms"


def test_few_times_do_not_tell_how_a_source_writes() -> None:
    """Nineteen whole milliseconds may be chance or taste; no more is read into them."""
    evidence = [process(pid, T + pid * MS, EvidenceId=f"e{pid}") for pid in range(100, 119)]
    rows = [started(f"p{pid}", pid, T + pid * MS + 1) for pid in range(100, 119)]
    found = match(evidence, tolerance=0, DeviceProcessEvents=rows)

    assert set(found.correlation["MatchTier"]) == {"none"}


def test_every_line_says_because() -> None:
    """Matched or not, each item says in words of ours what that rests on."""
    found = match(
        [process(), process(8, EvidenceId="e2"), process(None, EvidenceId="e3")],
        DeviceProcessEvents=[started("own")],
    )

    assert found.correlation["Because"].to_list() == [
        "device, process id and creation time are equal",
        "all that was asked for came, and shows nothing of it",
        "it names no process with its creation time, nor anything else that events hold",
    ]
