from dataclasses import dataclass, field

import polars as pl
import pytest
from days import (
    ACTIVE,
    LINUX,
    MACOS,
    NOW,
    Found,
    Row,
    T,
    active,
    alert,
    device,
    event,
    hunt,
    item,
    match,
    process,
    pull,
    started,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import ticks

RUN = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Run"
A, B, C, D = "a" * 64, "b" * 64, "c" * 40, "d" * 40
FILES, PROCESSES, LOGONS = "DeviceFileEvents", "DeviceProcessEvents", "DeviceLogonEvents"
REGISTRY, NETWORK, OTHERS = "DeviceRegistryEvents", "DeviceNetworkEvents", "DeviceEvents"


@dataclass(frozen=True, slots=True)
class Case:
    """One evidence item, one event, and what the event is to the item, if anything."""

    name: str
    evidence: Row
    table: str
    event: Row
    kind: str | None
    role: str = "subject"
    devices: tuple[Row, ...] = field(default=(device(),))


def url(text: str, table: str, kind: str | None = "url", **columns: object) -> Case:
    """Return a case of a URL."""
    return Case(f"{text} in {columns}", item("Url", RemoteUrl=text), table, columns, kind)


def key(text: str, seen: str, kind: str | None = "registry_key") -> Case:
    """Return a case of a registry key."""
    evidence = item("RegistryKey", RegistryKey=text)
    return Case(f"{text} seen as {seen}", evidence, REGISTRY, {"RegistryKey": seen}, kind)


def value(known: Row, seen: Row, kind: str | None = "registry_value") -> Case:
    """Return a case of a registry value."""
    return Case(f"{known} seen as {seen}", item("RegistryValue", **known), REGISTRY, seen, kind)


def logon(known: Row, seen: Row, kind: str | None = "account", table: str = LOGONS) -> Case:
    """Return a case of an account."""
    return Case(f"{known} seen as {seen} in {table}", item("User", **known), table, seen, kind)


def file(
    known: Row, seen: Row, kind: str | None, table: str = FILES, role: str = "subject"
) -> Case:
    """Return a case of a file."""
    return Case(
        f"{known} seen as {seen} in {table}", item("File", **known), table, seen, kind, role
    )


def keyless(known: Row, seen: Row, kind: str | None, role: str = "subject") -> Case:
    """Return a case of a process of which the evidence has no usable key."""
    evidence = process(at=None, **known)
    return Case(f"process {known} seen as {seen}", evidence, PROCESSES, seen, kind, role)


HERE = {"FolderPath": r"C:\Temp\X.exe", "FileName": "X.exe"}
CASES = (
    file({"SHA256": A.upper()}, {"SHA256": A}, "sha256"),
    file({"SHA256": A, "SHA1": C}, {"SHA256": A, "SHA1": C}, "sha256"),
    file({"SHA256": A, "SHA1": C}, {"SHA1": C.upper()}, "sha1"),
    file({"SHA256": A, **HERE}, {"SHA256": B, **HERE}, None),
    file({"SHA256": A, **HERE}, {"SHA1": D, **HERE}, None),
    file({"SHA256": A, **HERE}, HERE, "path"),
    file({"SHA256": A, **HERE}, {"FileName": "X.exe"}, None),
    file(HERE, {"FolderPath": r"c:\temp\x.exe", "SHA1": D}, "path"),
    file(HERE, {"FileName": "x.exe"}, None),
    file({"FileName": "X.exe", "FolderPath": "X.exe"}, {"FileName": "x.EXE"}, "name"),
    file({"FileName": "X.exe"}, {"FileName": "y.exe"}, None),
    file({"SHA1": C}, {"SHA1": C}, "sha1", "DeviceImageLoadEvents"),
    file({"SHA1": C}, {"InitiatingProcessSHA1": C}, "sha1", NETWORK, "initiator"),
    file({"SHA256": A}, {"InitiatingProcessSHA256": A}, "sha256", REGISTRY, "initiator"),
    file(HERE, {"InitiatingProcessFolderPath": r"c:\temp\x.exe"}, "path", OTHERS, "initiator"),
    file({"FileName": "x"}, {"InitiatingProcessFileName": "X"}, "name", LOGONS, "initiator"),
    file({"SHA1": C}, {"SHA1": C, "InitiatingProcessSHA1": C}, "sha1", PROCESSES),
    file({"SHA1": C}, {"SHA1": C, "DeviceId": "d2"}, None),
    keyless({"SHA256": A}, {"SHA256": A}, "sha256"),
    keyless({"SHA1": C}, {"InitiatingProcessSHA1": C}, "sha1", "initiator"),
    keyless({"FileName": "x", "ProcessCommandLine": "x -a"}, {"FileName": "x"}, "name"),
    keyless(
        {"FileName": "x", "ProcessCommandLine": "x -a"},
        {"FileName": "x", "ProcessCommandLine": "x -a"},
        "command_line",
    ),
    keyless({"ProcessCommandLine": "x -a"}, {"ProcessCommandLine": "x -a"}, "command_line"),
    keyless({"ProcessCommandLine": "x -a"}, {"ProcessCommandLine": "x -A"}, None),
    keyless(
        {"SHA1": C, "ProcessCommandLine": "x"}, {"SHA1": D, "ProcessCommandLine": "x"}, None
    ),
    keyless(
        {"ProcessCommandLine": "x"},
        {"InitiatingProcessCommandLine": "x"},
        "command_line",
        "initiator",
    ),
    Case("address", item("Ip", RemoteIP="2001:DB8::1"), NETWORK, {"RemoteIP": "2001:db8::1"}, "ip"),
    Case("logon from", item("Ip", RemoteIP="192.0.2.1"), LOGONS, {"RemoteIP": "192.0.2.1"}, "ip"),
    Case("another", item("Ip", RemoteIP="192.0.2.1"), NETWORK, {"RemoteIP": "192.0.2.11"}, None),
    url("https://Evil.example:8443/a?b", NETWORK, RemoteUrl="https://evil.example:8443/a?b"),
    url("https://evil.example/a", NETWORK, RemoteUrl="evil.example/a"),
    url("https://evil.example/a", NETWORK, RemoteUrl="EVIL.example"),
    url("stratum+tcp://evil.example:3333", OTHERS, RemoteUrl="evil.example"),
    url("http://me:pw@evil.example/a", NETWORK, RemoteUrl="evil.example"),
    url("http://[2001:db8::1]:80/a", NETWORK, RemoteUrl="[2001:db8::1]"),
    url("evil.example", NETWORK, RemoteUrl="evil.example"),
    url("https://evil.example/a", NETWORK, None, RemoteUrl="evil.example/b"),
    url("https://evil.example/a", NETWORK, None, RemoteUrl="evil.example.org"),
    url("https://evil.example/a", NETWORK, None, RemoteUrl="an.evil.example"),
    url("https://evil.example/a", FILES, FileOriginUrl="https://evil.example/a"),
    url("https://evil.example/a", FILES, None, FileOriginUrl="evil.example"),
    url("/", NETWORK, None, RemoteUrl="evil.example"),
    key(rf"HKEY_CURRENT_USER\{RUN.upper()}", rf"HKEY_CURRENT_USER\{RUN}"),
    key(rf"HKEY_CURRENT_USER\{RUN}", rf"HKEY_CURRENT_USER\S-1-5-21-1-2-3-1001\{RUN}"),
    key(rf"HKEY_CURRENT_USER\{RUN}", rf"HKEY_USERS\S-1-5-21-1-2-3-1001\{RUN}"),
    key(RUN, rf"HKEY_LOCAL_MACHINE\{RUN}"),
    key(rf"HKEY_LOCAL_MACHINE\{RUN}", rf"HKEY_CURRENT_USER\{RUN}", None),
    key(rf"HKEY_LOCAL_MACHINE\{RUN}", rf"HKEY_LOCAL_MACHINE\{RUN}\More", None),
    key(
        r"HKEY_LOCAL_MACHINE\SYSTEM\CONTROLSET001\SERVICES\X",
        r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\X",
    ),
    key(r"SYSTEM\ControlSet002\Services\X", r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\X"),
    key("HKEY_CURRENT_USER", r"HKEY_CURRENT_USER\S-1-5-21-1"),
    key("[a-z]+", "abc", None),
    value(
        {"RegistryKey": RUN, "RegistryValueName": "Updater", "RegistryValueData": r"C:\a.exe"},
        {
            "RegistryKey": rf"HKEY_CURRENT_USER\S-1-5-21-1\{RUN}",
            "RegistryValueName": "UPDATER",
            "RegistryValueData": r"c:\A.exe",
        },
    ),
    value(
        {"RegistryKey": RUN, "RegistryValueData": r"C:\a.exe"},
        {"RegistryKey": RUN, "RegistryValueName": "Any", "RegistryValueData": r"C:\a.exe"},
    ),
    value(
        {"RegistryKey": RUN, "RegistryValueName": "Updater", "RegistryValueData": "1"},
        {"RegistryKey": RUN, "RegistryValueName": "Updater", "RegistryValueData": "2"},
        None,
    ),
    value(
        {"RegistryKey": RUN, "RegistryValueName": "Updater"},
        {"RegistryKey": RUN, "RegistryValueData": "1"},
        None,
    ),
    value(
        {"RegistryValueName": "Updater"}, {"RegistryKey": RUN, "RegistryValueName": "updater"}
    ),
    value({"RegistryValueData": "1"}, {"RegistryKey": RUN, "RegistryValueData": "1"}),
    value({"RegistryKey": RUN}, {"RegistryKey": RUN, "RegistryValueName": "x"}, "registry_key"),
    logon({"AccountSid": "s-1-5-21-9"}, {"AccountSid": "S-1-5-21-9"}),
    logon({"AccountSid": "S-1-5-21-9", "AccountName": "ada"}, {"AccountName": "ADA"}),
    logon(
        {"AccountSid": "S-1-5-21-9", "AccountName": "ada"},
        {"AccountSid": "S-1-5-21-8", "AccountName": "ada"},
        None,
    ),
    logon(
        {"AccountName": "Ada", "AccountDomain": "CONTOSO"},
        {"AccountName": "ada", "AccountDomain": "contoso", "AccountSid": "S-1-5-21-9"},
    ),
    logon({"AccountName": "ada"}, {"AccountName": "ada", "AccountDomain": "contoso"}),
    logon(
        {"AccountName": "ada", "AccountDomain": "contoso"},
        {"AccountName": "ada", "AccountDomain": "fabrikam"},
        None,
    ),
    logon({"AccountName": "ada"}, {"AccountName": "ada"}, None, PROCESSES),
    Case("device", item("Machine", DeviceId="d1"), FILES, {}, "device"),
    Case("no device of ours", item("Machine", DeviceId="d9"), FILES, {}, None),
    Case("cloud", item("User", AccountName="eva"), LOGONS, {"AccountName": "eva"}, "account",
         devices=()),
    Case("two devices", item("Ip", RemoteIP="192.0.2.1"), NETWORK,
         {"RemoteIP": "192.0.2.1", "DeviceId": "d2"}, "ip", devices=(device(), device("d2"))),
    Case("own device", item("File", SHA1=C, DeviceId="d1"), FILES, {"SHA1": C, "DeviceId": "d2"},
         None, devices=(device(), device("d2"))),
)  # fmt: skip


@pytest.fixture(scope="module")
def found() -> Found:
    """Return the marts of all cases, each an alert with devices of its own."""
    alerts, devices, evidence = [], [], []
    tables: dict[str, list[Row]] = {}
    for number, case in enumerate(CASES):
        name, mine = str(number), {"AlertId": str(number)}
        alerts.append(active(name))
        devices += [_own(row, number) | mine for row in case.devices]
        evidence.append(_own(case.evidence, number) | mine)
        tables.setdefault(case.table, []).append(_own(event(name, **case.event), number))
    return match(evidence, alerts=alerts, devices=devices, **tables)


def _own(row: Row, number: int) -> Row:
    """Return a row whose device is that of its case alone."""
    known = row.get("DeviceId")
    return row | ({"DeviceId": f"{number} {known}"} if known else {})


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_evidence_is_matched_by_what_it_names(number: int, found: Found) -> None:
    """Evidence without a process key matches by the best fact that both sides know, or not."""
    case, name = CASES[number], str(number)
    line = found.of(name)
    rows = found.correlated.filter(AlertId=name)

    if case.kind is None:
        assert (line["MatchTier"], line["PivotKind"], line["Events"]) == ("none", None, 0)
        assert rows.is_empty()
    else:
        assert (line["MatchTier"], line["PivotKind"], line["Reason"]) == ("pivot", case.kind, None)
        columns = rows.select("EventId", "EventTable", "MatchTier", "MatchRole", "PivotKind")
        assert columns.rows() == [(name, case.table, "pivot", case.role, case.kind)]
        assert rows["TimeDeltaTicks"].to_list() == [None]
        assert line["MatchedProcessCreationTicks"] is None


ADDRESS = item("Ip", RemoteIP="192.0.2.1")


def connections(*hours: float) -> list[Row]:
    """Return connections to the address, named for the hours after the activity."""
    return [event(str(hour), hours=hour, RemoteIP="192.0.2.1") for hour in hours]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ((-1, 0, 1), {"-1", "0", "1"}),
        ((-1.01, 0.5, 1.01), {"0.5"}),
        ((-1.01, 20), {"-1.01", "20"}),
        ((-24, 24), {"-24", "24"}),
        ((-24.01, 24.01), set()),
    ],
)
def test_what_is_near_goes_before_what_is_far(hours: tuple[float, ...], expected: set[str]) -> None:
    """Only where no event lies within an hour of the activity does one within a day count."""
    found = match([ADDRESS], alerts=[active()], DeviceNetworkEvents=connections(*hours))

    assert set(found.correlated["EventId"]) == expected


def test_the_activity_is_a_span() -> None:
    """Near is near any part of the activity, whichever end is named first."""
    start, end = active()["FirstActivityTime"], active()["FirstActivityTime"].replace(hour=18)
    swapped = alert(FirstActivityTime=end, LastActivityTime=start)
    found = match([ADDRESS], alerts=[swapped], DeviceNetworkEvents=connections(3, 7, 7.01))

    assert set(found.correlated["EventId"]) == {"3", "7"}


def test_an_alert_without_activity_is_looked_for_around_its_creation() -> None:
    """Where no activity is told, the creation of the alert stands for it."""
    created = alert(CreatedTime=active()["FirstActivityTime"])
    found = match([ADDRESS], alerts=[created], DeviceNetworkEvents=connections(0, 2))

    assert set(found.correlated["EventId"]) == {"0"}


def test_a_device_is_matched_near_only() -> None:
    """What a device did hours away says nothing about a custom detection, and shows no life."""
    found = match(
        [item("Machine", DeviceId="d1")],
        alerts=[active()],
        DeviceFileEvents=[event("far", hours=3)],
    )

    assert found.verdict == ("none", None, "device_silent")


def test_a_device_is_no_lead_beside_other_leads() -> None:
    """All that a device did is the answer only where its alert names nothing else to look for."""
    machine = item("Machine", DeviceId="d1", EvidenceId="e2")
    found = match([ADDRESS, machine], alerts=[active()], DeviceFileEvents=[event("near")])

    assert found.correlated.is_empty()
    assert found.correlation.filter(EvidenceId="e2")["Reason"].to_list() == ["no_usable_key"]


def test_a_custom_detection_has_the_activity_of_its_devices() -> None:
    """Each device of an alert that names only devices and accounts has its own events."""
    devices = [device(), device("d2")]
    evidence = [
        item("Machine", DeviceId="d1"),
        item("Machine", DeviceId="d2", EvidenceId="e2"),
        item("User", AccountName="ada", EvidenceId="e3"),
    ]
    found = match(
        evidence,
        devices=devices,
        alerts=[active()],
        DeviceFileEvents=[event("one"), event("two", DeviceId="d2"), event("x", DeviceId="d3")],
    )

    assert found.correlated.select("EvidenceId", "EventId").rows() == [("e1", "one"), ("e2", "two")]


def test_a_process_with_a_usable_key_has_no_pivot() -> None:
    """Evidence with a whole key matches by that or not at all, whatever its file did."""
    row = event("same file", SHA1=C, TimestampTicks=T)
    found = match([process(SHA1=C)], alerts=[active()], DeviceProcessEvents=[row])

    assert found.verdict == ("none", None, "no_match")
    assert found.correlated.is_empty()


def test_a_pivot_is_no_process_match() -> None:
    """A keyless process found by its file names no process instance, though the row is its own."""
    own = started("own", SHA1=C, TimestampTicks=event("x")["TimestampTicks"])
    found = match([process(pid=None, SHA1=C)], alerts=[active()], DeviceProcessEvents=[own])

    assert found.events == {("own", "subject", "pivot")}
    assert found.verdict == ("pivot", None, None)


def test_the_command_line_tells_runs_of_one_program_apart() -> None:
    """Of the runs of a program those with the evidence's command line count, if there are any."""
    seen = {"SHA1": C, "ProcessCommandLine": "sh -c a"}
    rows = [
        event("ours", **seen),
        event("other", SHA1=C, ProcessCommandLine="sh -c b"),
        event("child", InitiatingProcessSHA1=C, InitiatingProcessCommandLine="sh -c a"),
    ]
    evidence = process(at=None, **seen)
    ours = match([evidence], alerts=[active()], DeviceProcessEvents=rows)
    others = match([evidence], alerts=[active()], DeviceProcessEvents=rows[1:2])

    assert set(ours.correlated["EventId"]) == {"ours", "child"}
    assert set(others.correlated["EventId"]) == {"other"}


def test_an_event_comes_once_with_its_best_fact() -> None:
    """An event that names a file twice, and by several facts, is one row of the best of them."""
    row = event("both", SHA1=C, InitiatingProcessSHA256=A, InitiatingProcessSHA1=C)
    found = match([item("File", SHA1=C, SHA256=A)], alerts=[active()], DeviceProcessEvents=[row])

    columns = found.correlated.select("EventId", "MatchRole", "PivotKind")
    assert columns.rows() == [("both", "initiator", "sha256")]


@pytest.mark.parametrize("devices", [LINUX, MACOS, ()], ids=["linux", "macos", "none"])
def test_pid_and_time_play_no_part_in_a_pivot(devices: tuple[Row, ...]) -> None:
    """On any platform a half key adds nothing: the file alone decides."""
    rows = [event("one", SHA1=C, ProcessId=7), event("two", SHA1=C, ProcessCreationTicks=T)]
    evidence = process(at=None, device_id=None, SHA1=C)
    found = match([evidence], devices=devices, alerts=[active()], DeviceProcessEvents=rows)

    assert set(found.correlated["EventId"]) == {"one", "two"}


EARLIER = hunt("failed", HuntedAt=ACTIVE)
REASONS = (
    ("nothing as such", {}, "no_match"),
    ("pull incomplete", {"ledger": [pull(), pull("truncated")]}, "incomplete_pull"),
    ("own hunt failed", {"hunts": [hunt(), hunt("failed", HuntId="i")]}, "incomplete_pull"),
    ("own hunt failed before", {"hunts": [EARLIER, hunt(HuntId="i")]}, "no_match"),
    ("a nearer hunt", {"hunts": [EARLIER, hunt(Reach="wide")]}, "incomplete_pull"),
    ("hunt of another", {"hunts": [hunt("failed", "e2")]}, "no_match"),
    ("hunt of another alert", {"hunts": [hunt("failed", AlertId="a2")]}, "no_match"),
    ("hunt for relatives", {"hunts": [hunt("partial", None)]}, "no_match"),
    ("still fresh", {"alerts": [alert()]}, "not_landed_yet"),
    ("silent", {"DeviceFileEvents": []}, "device_silent"),
    ("silent nobody", {"DeviceFileEvents": [], "devices": ()}, "no_match"),
)


@pytest.mark.parametrize(
    ("tables", "reason"), [case[1:] for case in REASONS], ids=[case[0] for case in REASONS]
)
def test_a_pivot_that_found_nothing_says_why(tables: dict[str, list[Row]], reason: str) -> None:
    """A lead without a match has the reason that holds for it and not for its neighbours."""
    common = {"alerts": [active()], "DeviceFileEvents": [event("noise")]}
    found = match([ADDRESS], **(common | tables))

    assert found.verdict == ("none", None, reason)


@pytest.mark.parametrize(
    ("tables", "reason"),
    [({}, "no_usable_key"), ({"ledger": [pull("failed")]}, "incomplete_pull")],
)
def test_a_keyless_process_that_no_pivot_found(tables: dict[str, list[Row]], reason: str) -> None:
    """A process without a usable key says so once everything was asked, and not before."""
    found = match([process(at=None, SHA1=C)], alerts=[active()], **tables)

    assert found.verdict == ("none", None, reason)


def test_activity_before_the_retention_is_said() -> None:
    """What was over before hunting's retention cannot be found, unless as old a row was pulled."""
    long_ago = active()["FirstActivityTime"].replace(year=2025)
    old = alert(FirstActivityTime=long_ago, LastActivityTime=long_ago)
    rows = {"DeviceFileEvents": [event("noise")]}
    gone = match([ADDRESS], alerts=[old], **rows)
    then = [event("older", hours=-24 * 400), event("noise", hours=-24 * 365)]
    kept = match([ADDRESS], alerts=[old], DeviceFileEvents=then)
    silent = match([ADDRESS], alerts=[old], DeviceFileEvents=then[:1])

    assert gone.only["Reason"] == "outside_retention"
    assert kept.only["Reason"] == "no_match"
    assert silent.only["Reason"] == "device_silent"


def test_landing_is_a_parameter() -> None:
    """How long a miss stays open is for the caller to say."""
    since = ticks.from_datetime(NOW) - ticks.from_datetime(ACTIVE)
    found = match(
        [ADDRESS], alerts=[active()], landing=since + 1, DeviceFileEvents=[event("noise")]
    )

    assert found.only["Reason"] == "not_landed_yet"


def test_columns_that_nobody_declared_disturb_no_match() -> None:
    """A column of one table that another table has with another type is left out of the match."""
    found = match(
        [process(), ADDRESS | {"EvidenceId": "e2"}],
        alerts=[active()],
        DeviceProcessEvents=[started("own")],
        DeviceNetworkEvents=connections(0),
        extra={"DeviceNetworkEvents": pl.lit("seven").alias("ProcessId")},
    )

    assert set(found.correlated["MatchTier"]) == {"exact", "pivot"}


NAMES = {
    "FileName": ("File", FILES, {}),
    "ProcessCommandLine": ("Process", PROCESSES, {}),
    "RemoteIP": ("Ip", NETWORK, {}),
    "RemoteUrl": ("Url", NETWORK, {}),
    "RegistryKey": ("RegistryKey", REGISTRY, {}),
    "RegistryValueName": ("RegistryValue", REGISTRY, {"RegistryKey": "k"}),
    "RegistryValueData": ("RegistryValue", REGISTRY, {"RegistryKey": "k"}),
    "AccountName": ("User", LOGONS, {}),
}
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12
) | st.sampled_from(
    ["*", "%", "_", "a\\", "\\", "two\r\nlines", 'x" | take 0 //', "'; --", "\x00", "${x}", "(?i)"]
)


@settings(deadline=None, max_examples=12)
@given(st.lists(TEXTS, min_size=8, max_size=8))
def test_any_text_is_compared_as_it_is(texts: list[str]) -> None:
    """Whatever an attacker wrote, an event with that text matches, and one with more does not."""
    evidence, alerts, devices = [], [], []
    tables: dict[str, list[Row]] = {}
    for name, written in zip(NAMES, texts, strict=True):
        kind, table, more = NAMES[name]
        mine = {"AlertId": name}
        alerts.append(active(name))
        devices.append(device(name, alert_id=name))
        evidence.append(item(kind, **more, **{name: written}) | mine)
        for event_id, seen in (("same", written), ("more", f"{written}x")):
            row = event(f"{name} {event_id}", DeviceId=name, **more, **{name: seen})
            tables.setdefault(table, []).append(row)
    found = match(evidence, alerts=alerts, devices=devices, **tables)

    matched = set(found.correlated.select("AlertId", "EventId").iter_rows())
    blank = {"RemoteIP", "RemoteUrl", "AccountName"}
    assert matched == {
        (name, f"{name} same")
        for name, written in zip(NAMES, texts, strict=True)
        if written.strip(" ") or name not in blank
    }
