from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from days import (
    ACTIVE,
    LINUX,
    MACOS,
    NOW,
    TOLERANCE,
    US,
    Row,
    T,
    active,
    alert,
    caused,
    day,
    device,
    event,
    item,
    process,
    started,
    still_open,
)

from etl import ticks
from etl.lake import engine
from etl.models.correlation import open_leads

C = "c" * 40
COLUMNS = {
    "AlertId", "EvidenceId", "Kind", "Devices", "Own", "StartTicks", "EndTicks", "ProcessId",
    "ProcessCreationTicks", "Unit", "SHA1", "SHA256", "FileName", "FolderPath", "RemoteIP",
    "RemoteUrl", "RegistryKey", "RegistryValueName", "RegistryValueData", "AccountSid",
    "AccountName", "AccountDomain", "ProcessCommandLine",
}  # fmt: skip


def lead(evidence: Row, devices: Sequence[Row] = (device(),)) -> Row | None:
    """Return the lead of one evidence item, without what is null, or None."""
    leads = still_open([evidence], alerts=[active()], devices=devices).leads
    assert set(leads.columns) >= COLUMNS
    if leads.is_empty():
        return None
    known = {name: value for name, value in leads.row(0, named=True).items() if value is not None}
    where = ("AlertId", "EvidenceId", "StartTicks", "EndTicks", "Devices", "Own")
    return {name: value for name, value in known.items() if name not in where}


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (
            process(SHA1=C.upper(), RemoteIP="192.0.2.1"),
            {"Kind": "process", "ProcessId": 7, "ProcessCreationTicks": T, "Unit": 1, "SHA1": C},
        ),
        (process(at=None), None),
        (process(at=None, ProcessCommandLine="x"), {"Kind": "file", "ProcessCommandLine": "x"}),
        (process(pid=0, SHA1=C), {"Kind": "file", "SHA1": C}),
        (process(pid=4, SHA1=C), {"Kind": "file", "SHA1": C}),
        (item("File", FileName="x", FolderPath="x"), {"Kind": "file", "FileName": "x"}),
        (item("File", FolderPath="/x"), {"Kind": "file", "FolderPath": "/x"}),
        (item("File", SHA1=" ", FileName=""), None),
        (item("Ip", RemoteIP="192.0.2.1"), {"Kind": "ip", "RemoteIP": "192.0.2.1"}),
        (item("Ip", RemoteUrl="evil.example"), None),
        (item("Ip", RemoteIP=" "), None),
        (item("Url", RemoteUrl="https://x/a"), {"Kind": "url", "RemoteUrl": "https://x/a"}),
        (item("RegistryKey", RegistryKey="SAM"), {"Kind": "registry_key", "RegistryKey": "SAM"}),
        (
            item("RegistryKey", RegistryKey="SAM", RegistryValueName="x"),
            {"Kind": "registry_key", "RegistryKey": "SAM"},
        ),
        (item("RegistryValue", RegistryKey="SAM"), {"Kind": "registry_key", "RegistryKey": "SAM"}),
        (
            item("RegistryValue", RegistryValueData="1"),
            {"Kind": "registry_value", "RegistryValueData": "1"},
        ),
        (item("User", AccountUpn="a@b.example"), None),
        (item("User", AccountSid="S-1-5"), {"Kind": "account", "AccountSid": "S-1-5"}),
        (item("Machine", DeviceId="d1"), {"Kind": "device"}),
        (item("Machine"), None),
        (item("Mailbox", AccountName="ada", RemoteIP="192.0.2.1", SHA1=C), None),
        (item("Blob", RemoteUrl="https://x/a"), None),
    ],
    ids=str,
)
def test_a_lead_goes_by_what_its_entity_is(evidence: Row, expected: Row | None) -> None:
    """A lead has its kind's facts and no others; what names nothing to look for has no lead."""
    assert lead(evidence) == expected


def test_a_lead_is_on_the_devices_of_its_alert_or_its_own() -> None:
    """A lead names its own device, else its alert's, else none; and its alert's activity."""
    two = [device(), device("d2"), device("d3", alert_id="a2")]
    alerts = [active(), alert("a2", CreatedTime=NOW)]
    evidence = [
        item("File", SHA1=C, DeviceId="d9"),
        item("Ip", RemoteIP="192.0.2.1", EvidenceId="e2"),
        process(device_id=None, EvidenceId="e3"),
        item("Ip", RemoteIP="192.0.2.1", AlertId="a2"),
    ]
    leads = still_open(evidence, alerts=alerts, devices=two).leads
    nowhere = still_open(evidence[1:2], alerts=alerts, devices=()).leads

    assert leads["Devices"].to_list() == [["d9"], ["d1", "d2"], ["d1", "d2"], ["d3"]]
    assert nowhere["Devices"].to_list() == [[]]
    assert leads["StartTicks"].to_list() == [ticks.from_datetime(ACTIVE)] * 3 + [
        ticks.from_datetime(NOW)
    ]
    assert leads["EndTicks"].to_list() == leads["StartTicks"].to_list()


@pytest.mark.parametrize(("devices", "unit"), [(LINUX, 100_000), (MACOS, 10), ((device(),), 1)])
def test_a_key_is_looked_for_as_others_name_it(devices: Sequence[Row], unit: int) -> None:
    """The unit of a key covers every way in which telemetry may write it."""
    found = lead(process(at=T + US), devices)

    assert found is not None
    assert found["Unit"] == unit


def test_what_is_matched_or_ambiguous_is_not_open() -> None:
    """Only evidence without any match is open, and none that could be one of several."""
    evidence = [
        process(EvidenceId="matched"),
        process(EvidenceId="ambiguous", pid=8),
        process(EvidenceId="missed", pid=9),
        item("Ip", EvidenceId="near", RemoteIP="192.0.2.1"),
        item("Ip", EvidenceId="far", RemoteIP="192.0.2.2"),
        item("Ip", EvidenceId="nowhere", RemoteIP="192.0.2.3"),
    ]
    found = still_open(
        evidence,
        alerts=[active()],
        DeviceProcessEvents=[started("own"), started("a", 8, T - 1), started("b", 8, T + 1)],
        DeviceNetworkEvents=[
            event("near", RemoteIP="192.0.2.1"),
            event("far", RemoteIP="192.0.2.2", hours=5),
        ],
    )

    assert set(found.leads["EvidenceId"]) == {"missed", "nowhere"}


def test_what_names_no_device_is_open_until_it_is_found_near() -> None:
    """No window around a device covers a lead without one, so a far event closes nothing."""
    evidence = [
        item("Ip", EvidenceId="near", RemoteIP="192.0.2.1"),
        item("Ip", EvidenceId="far", RemoteIP="192.0.2.2"),
    ]
    rows = [
        event("near", RemoteIP="192.0.2.1"),
        event("far", RemoteIP="192.0.2.2", hours=5),
    ]
    found = still_open(evidence, alerts=[active()], devices=(), DeviceNetworkEvents=rows)

    assert set(found.leads["EvidenceId"]) == {"far"}


def parent(pid: int | None, at: int | None) -> Row:
    """Return who started the initiating process."""
    return {"InitiatingProcessParentId": pid, "InitiatingProcessParentCreationTicks": at}


def by(pid: int | None, at: int | None) -> Row:
    """Return the initiating process."""
    return {"InitiatingProcessId": pid, "InitiatingProcessCreationTicks": at}


def ancestors(
    rows: Sequence[Row], devices: Sequence[Row] = (device(),), **more: object
) -> set[tuple[int, int, int]]:
    """Return pid, time and unit of the ancestors to look for, the times counted from T."""
    found = still_open([process()], devices=devices, DeviceProcessEvents=rows, **more).ancestors
    columns = ["AlertId", "DeviceId", "ProcessId", "ProcessCreationTicks", "Unit"]
    assert found.columns == columns
    assert found.unique().height == found.height
    return {(row[2], row[3] - T, row[4]) for row in found.rows()}


def test_ancestors_are_named_up_to_the_root() -> None:
    """Whoever an event names as initiator or its parent is an ancestor, each up from the last."""
    rows = [
        started("own", **by(6, T - 10), **parent(5, T - 20)),
        started("grandparent", 5, T - 20, **by(3, T - 30)),
        started("stranger", 50, T, **by(51, T)),
    ]

    assert ancestors(rows) == {(6, -10, 1), (3, -30, 1)}


def test_other_tables_name_ancestors_too() -> None:
    """A process that is known by its deeds alone has its parent from those."""
    rows = [caused("net", **parent(6, T - 10))]

    assert ancestors([], DeviceNetworkEvents=rows) == {(6, -10, 1)}


@pytest.mark.parametrize(
    "row",
    [by(0, T - 10), by(4, T - 10), by(6, None), by(None, T - 10), parent(0, T - 10), {}],
    ids=str,
)
def test_what_is_no_key_is_no_ancestor(row: Row) -> None:
    """Pid 0, System and half keys are nobody's parent."""
    assert ancestors([started("own", **(by(None, None) | row))]) == set()


def test_pid_four_is_an_ancestor_on_linux() -> None:
    """Only Windows has a System process of that number."""
    assert ancestors([started("own", **by(4, T - 100_000))], LINUX) == {(4, -100_000, 100_000)}


def test_a_cut_time_means_the_own_row_of_its_interval() -> None:
    """On Linux an ancestor named to 10 ms is not looked for where its own row lies in those."""
    own = [
        started("own", at=T + 30 * US, **by(6, T)),
        started("parent", 6, T + 500 * US, **by(5, T), **parent(4, T - US)),
    ]

    assert ancestors(own, LINUX) == {(5, 0, 100_000), (4, -US, 10)}


def test_loops_and_exec_come_to_an_end() -> None:
    """Processes that are each other's parents, or their own by exec, end the climb."""
    loop = [
        started("own", **by(6, T)),
        caused("x", 6, T, **parent(8, T)),
        caused("y", 8, T, **parent(6, T)),
    ]
    chain = [started("fork", at=T), started("exec", at=T + 30 * US, **by(7, T), **parent(7, T))]

    assert ancestors(loop) == {(6, 0, 1), (8, 0, 1)}
    assert ancestors(chain, LINUX) == set()


def test_a_long_line_is_bounded() -> None:
    """No line of ancestors is followed further than 32 generations."""
    rows = [started(f"p{n}", 7 + n, T - n, **by(8 + n, T - n - 1)) for n in range(40)]

    assert ancestors(rows[:10]) == {(17, -10, 1)}
    assert ancestors(rows[:1] + rows[35:]) == {(8, -1, 1)}
    assert ancestors(rows) == set()


def test_descendants_are_told_two_generations_down() -> None:
    """Matched processes and those they started, each with its depth, two generations deep."""
    rows = [
        started("own"),
        started("child", 8, T + 10, **by(7, T)),
        started("grandchild", 9, T + 20, **by(8, T + 10)),
        started("too deep", 10, T + 30, **by(9, T + 20)),
        started("stranger", 11, T + 5, **by(7, T + 1)),
    ]
    found = still_open([process(), process(EvidenceId="e2", pid=9, at=T + 20)],
                       DeviceProcessEvents=rows).matched  # fmt: skip

    columns = found.select("AlertId", "DeviceId", "ProcessId", "ProcessCreationTicks", "Depth")
    assert set(columns.rows()) == {
        ("a1", "d1", 7, T, 0),
        ("a1", "d1", 9, T + 20, 0),
        ("a1", "d1", 8, T + 10, 1),
        ("a1", "d1", 10, T + 30, 1),
    }


def test_a_pivot_has_no_relatives() -> None:
    """Only processes matched by their key have ancestors and descendants to look for."""
    row = started("own", SHA1=C, TimestampTicks=ticks.from_datetime(ACTIVE), **by(6, T - 10))
    found = still_open([process(at=None, SHA1=C)], alerts=[active()], DeviceProcessEvents=[row])

    assert found.leads.is_empty()
    assert found.ancestors.is_empty()
    assert found.matched.is_empty()


def test_the_same_engine_answers_again(tmp_path: Path) -> None:
    """What is open is told anew for new telemetry on the same engine, from frames or from files."""
    before = day([process()])
    after = day([process()], DeviceProcessEvents=[started("own")])
    file = tmp_path / "rows.parquet"
    after["DeviceProcessEvents"].write_parquet(file)
    with TemporaryDirectory() as name, engine.connection(Path(name)) as duck:
        heights = [
            open_leads(duck, tables, TOLERANCE).leads.height
            for tables in (before, after, before, after | {"DeviceProcessEvents": file}, before)
        ]

    assert heights == [1, 0, 1, 0, 1]
