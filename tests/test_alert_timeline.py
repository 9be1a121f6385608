import pytest
from days import LINUX, MS, TEN_MS, Found, Row, T, alert, device, process
from kin import BASH, CURL, SH, birth, born, by, deed, family, of, parent

from etl import ticks

NETWORK, FILES, LOGONS = "DeviceNetworkEvents", "DeviceFileEvents", "DeviceLogonEvents"
REGISTRY, OTHERS = "DeviceRegistryEvents", "DeviceEvents"

Told = tuple[str, int, int | None, int | None, str | None, bool]


def told(found: Found, name: str = "a1") -> list[Told]:
    """Return event, depth, actor's pid and time, tier and mark of an alert's timeline, in order."""
    rows = found.timeline.filter(AlertId=name).select(
        "EventId", "Depth", "InitiatingProcessId", "InitiatingProcessCreationTicks", "MatchTier",
        "Aggregated",
    )  # fmt: skip
    return [
        (event, depth, pid, None if at is None else at - T, tier, mark)
        for event, depth, pid, at, tier, mark in rows.rows()
    ]


def test_what_the_processes_and_their_descendants_did() -> None:
    """Deeds of the evidence's process and two generations below come in order; nobody else's."""
    found = family(
        birth(6, -50, "word.exe", **by(5, -90)),
        birth(7, 0, "shell.exe", **by(6, -50, "word.exe")),
        birth(8, 10, "child.exe", **by(7, 0)),
        birth(9, 20, "grandchild.exe", **by(8, 10)),
        birth(10, 30, "too deep.exe", **by(9, 20)),
        birth(11, 40, "sibling.exe", **by(6, -50)),
        DeviceNetworkEvents=[deed("net", 25, **by(9, 20)), deed("of the mother", 26, **by(6, -50))],
        DeviceFileEvents=[deed("file", 5, **by(7, 0)), deed("too deep", 50, **by(10, 30))],
    )

    assert told(found) == [
        ("birth 7 0", -1, 6, -50, "exact", False),
        ("file", 0, 7, 0, "exact", False),
        ("birth 8 10", 0, 7, 0, "exact", False),
        ("birth 9 20", 1, 8, 10, None, False),
        ("net", 2, 9, 20, None, False),
        ("birth 10 30", 2, 9, 20, None, False),
    ]
    assert found.timeline["InitiatingProcessFileName"].to_list() == [
        "word.exe", "shell.exe", "shell.exe", "child.exe", "grandchild.exe", "grandchild.exe",
    ]  # fmt: skip


@pytest.mark.parametrize("starter", [by(0, None), by(6, None), by(7, 0)], ids=str)
def test_a_process_that_nobody_started_has_its_creation_told(starter: Row) -> None:
    """Where the initiator is no key, or the process itself, nobody is told to have started it."""
    found = family(birth(7, 0, "own", **starter))

    assert told(found) == [("birth 7 0", -1, None, None, "exact", False)]


def test_what_happened_to_a_process_is_not_its_deed() -> None:
    """An event about a matched process that somebody else caused is not in its timeline."""
    about = deed("about", 5, ProcessId=7, ProcessCreationTicks=T, **by(50, -1))
    found = family(birth(7, 0), DeviceEvents=[about])

    assert {row[0] for row in told(found)} == {"birth 7 0"}
    assert found.events == {("birth 7 0", "subject", "exact"), ("about", "subject", "exact")}


def test_aggregated_reports_are_marked() -> None:
    """Rows that sum up an hour are there, told from single events, for observed and inferred."""
    found = family(
        birth(7, 0),
        birth(8, 60, ActionType="ProcessCreatedAggregatedReport", **by(7, 0)),
        deed("child", 70, "FileCreated", **by(9, 65), **parent(7, 0)),
        DeviceNetworkEvents=[
            deed("one", 5, "ConnectionSuccess", **by(7, 0)),
            deed("many", 50, "ConnectionSuccessAggregatedReport", **by(7, 0)),
        ],
    )

    assert told(found)[1:] == [
        ("one", 0, 7, 0, "exact", False),
        ("many", 0, 7, 0, "exact", True),
        ("birth 8 60", 0, 7, 0, "exact", True),
        ("child", 1, 9, 65, None, False),
    ]


def test_an_event_comes_once_in_an_alert_and_in_each_of_them() -> None:
    """Evidence named twice doubles nothing; alerts that share a process each tell its deeds."""
    found = family(
        birth(6, -50, **by(5, -90)),
        birth(7, 0, **by(6, -50)),
        evidence=[
            process(),
            process(EvidenceId="e2"),
            process(EvidenceId="e3", pid=6, at=T - 50),
            process(AlertId="a2"),
        ],
        alerts=[alert(), alert("a2")],
        devices=[device(), device(alert_id="a2")],
        DeviceFileEvents=[deed("file", 5, **by(7, 0))],
    )

    assert [row[:2] for row in told(found)] == [("birth 6 -50", -1), ("birth 7 0", 0), ("file", 0)]
    assert [row[:2] for row in told(found, "a2")] == [("birth 7 0", -1), ("file", 0)]


def test_the_best_tier_of_an_event_is_told() -> None:
    """An event that is matched by its process and by a pivot as well is told as the former."""
    address = {
        "AlertId": "a1", "EvidenceId": "e2", "EntityType": "Ip", "EvidenceType": "ipEvidence",
        "RemoteIP": "192.0.2.1", "Raw": "{}",
    }  # fmt: skip
    rows = [
        deed("first", 5, RemoteIP="192.0.2.1", **by(7, 0)),
        deed("of the child", 15, RemoteIP="192.0.2.1", **by(8, 10)),
    ]
    found = family(
        birth(7, 0),
        birth(8, 10, **by(7, 0)),
        evidence=[process(), address],
        alerts=[alert(FirstActivityTime=ticks.to_datetime(T), LastActivityTime=None)],
        DeviceNetworkEvents=rows,
    )

    assert [(row[0], row[4]) for row in told(found)] == [
        ("birth 7 0", "exact"), ("first", "exact"), ("birth 8 10", "exact"),
        ("of the child", "pivot"),
    ]  # fmt: skip


def test_cut_names_belong_to_the_program_that_agrees() -> None:
    """On Linux what two programs of a slot did is told apart by their files, or left out."""
    found = family(
        born(7, 1 * MS, BASH, "bash", **by(6, -TEN_MS)),
        born(7, 2 * MS, CURL, "curl x", **of(7, 0, BASH, "bash")),
        evidence=[process(at=T + 2 * MS)],
        devices=LINUX,
        DeviceFileEvents=[
            deed("of the fork", TEN_MS, **of(7, 0, BASH, "bash")),
            deed("of the exec", TEN_MS, **of(7, 0, CURL, "curl x")),
            deed("of another", TEN_MS, **of(7, 0, SH, "sh")),
        ],
        DeviceNetworkEvents=[deed("of either", TEN_MS, **by(7, 0))],
    )

    assert [row[:4] for row in told(found)] == [
        (f"birth 7 {2 * MS}", -1, 7, 1 * MS),
        ("of the exec", 0, 7, 2 * MS),
    ]


@pytest.mark.parametrize(
    ("table", "row", "expected"),
    [
        (FILES, {"FileName": "x.exe", "FolderPath": r"C:\x.exe"}, r"C:\x.exe"),
        (FILES, {"FileName": "x.exe"}, "x.exe"),
        (NETWORK, {"RemoteIP": "192.0.2.1", "RemotePort": 443, "RemoteUrl": "x.example"},
         "192.0.2.1:443 x.example"),
        (NETWORK, {"RemoteIP": "2001:db8::1", "RemotePort": 53}, "[2001:db8::1]:53"),
        (NETWORK, {"RemoteUrl": "x.example"}, "x.example"),
        (REGISTRY, {"RegistryKey": r"HKLM\Run", "RegistryValueName": "a", "RegistryValueData": "1"},
         r"HKLM\Run\a = 1"),
        (REGISTRY, {"RegistryKey": r"HKLM\Run", "RegistryValueName": ""}, r"HKLM\Run"),
        (LOGONS, {"AccountDomain": "contoso", "AccountName": "ada", "RemoteIP": "192.0.2.1"},
         r"192.0.2.1 contoso\ada"),
        (OTHERS, {"AdditionalFields": '{"a":1}'}, '{"a":1}'),
        (OTHERS, {"FileName": "x.exe", "AdditionalFields": "{}", "AccountName": "ada"}, "x.exe"),
        (OTHERS, {}, None),
        (FILES, {"FolderPath": "a\r\n\u202eb\u200b\tc\x1b[0m "}, "a b c [0m"),
        (FILES, {"FolderPath": "x" * 999}, "x" * 300),
    ],
    ids=str,
)  # fmt: skip
def test_what_was_done_is_one_line(table: str, row: Row, expected: str | None) -> None:
    """Path, address, key or account in one short line, without anything that cannot be seen."""
    found = family(birth(7, 0), **{table: [deed("it", 5, **by(7, 0), **row)]})
    lines = dict(found.timeline.select("EventId", "What").rows())

    assert lines["it"] == expected


def test_a_creation_is_told_by_its_command_line() -> None:
    """Who was started is told by its command line, and by its key."""
    found = family(birth(7, 0), birth(8, 10, "x", ProcessCommandLine="x -a", **by(7, 0)))
    columns = ("ActionType", "What", "ProcessId", "ProcessCreationTicks")

    assert found.timeline.select(columns).rows()[1] == ("ProcessCreated", "x -a", 8, T + 10)


def test_events_come_by_time() -> None:
    """The timeline is in order of the events' ticks, whichever table they are of."""
    order = (40, 10, 30, 20)
    found = family(
        birth(7, 0),
        DeviceFileEvents=[deed(f"f{at}", at, **by(7, 0)) for at in order],
        DeviceNetworkEvents=[deed(f"n{at}", at + 5, **by(7, 0)) for at in order],
    )

    assert [row[0] for row in told(found)][1:] == [
        "f10", "n10", "f20", "n20", "f30", "n30", "f40", "n40",
    ]  # fmt: skip
