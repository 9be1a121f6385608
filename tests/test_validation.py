import re

import pytest
from days import (
    Found,
    Row,
    T,
    active,
    alert,
    caused,
    device,
    event,
    hunt,
    item,
    match,
    process,
    pull,
    started,
)

FILE = item("File", SHA256="a" * 64, EvidenceId="file")
ADDRESS = item("Ip", RemoteIP="192.0.2.1", EvidenceId="ip")
USER = item("User", AccountName="ada", EvidenceId="user")
MACHINE = item("Machine", DeviceId="d1", EvidenceId="machine")
MAILBOX = item("Mailbox", EvidenceId="mailbox")
NOISE = event("noise", DeviceName="wks-006", FileName="noise")

OWN = started("own", DeviceName="wks-006")
FILED = event("filed", DeviceName="wks-006", SHA256="a" * 64)
REACHED = event("reached", DeviceName="wks-006", RemoteIP="192.0.2.1")
FAR = event("far", DeviceName="wks-006", RemoteIP="192.0.2.1", hours=9)
LOGGED = event("logged", DeviceName="wks-006", AccountName="ada")


def judge(*evidence: Row, **tables: object) -> Found:
    """Return the marts of one alert about some evidence."""
    return match(list(evidence), **({"alerts": [active()], "DeviceFileEvents": [NOISE]} | tables))


def processes(*rows: Row, lost: int = 0) -> dict[str, object]:
    """Return creation rows."""
    return {"DeviceProcessEvents": list(rows)[: len(rows) - lost]}


NONE = "a complete pull shows none of the"
SEVERAL = [process(pid=pid, EvidenceId=f"e{pid}") for pid in (7, 8, 9)]
CASES = {
    "exact": (
        SEVERAL,
        processes(OWN, started("b", 8)),
        ("corroborated", "2 of 3 processes seen to 100 ns"),
    ),
    "one": ([SEVERAL[0]], processes(OWN), ("corroborated", "1 of 1 process seen to 100 ns")),
    "cut": (
        [SEVERAL[0]],
        processes(started("own", at=T + 990)) | {"devices": [device(platform="Ubuntu")]},
        ("corroborated", "1 of 1 process seen to the precision of the clock"),
    ),
    "mixed": (
        SEVERAL,
        processes(OWN, started("b", 8, T + 1)),
        ("corroborated", "2 of 3 processes seen: 1 to 100 ns, 1 within the tolerance"),
    ),
    "process and file": (
        [SEVERAL[0], FILE],
        processes(OWN) | {"DeviceFileEvents": [FILED]},
        ("corroborated", "1 of 1 process seen to 100 ns; file by SHA256 on wks-006"),
    ),
    "files": (
        [FILE, FILE | {"EvidenceId": "e2"}],
        {"DeviceFileEvents": [FILED]},
        ("corroborated", "file by SHA256 (2 items) on wks-006"),
    ),
    "address": (
        [ADDRESS],
        {"DeviceNetworkEvents": [REACHED]},
        ("corroborated", "address on wks-006"),
    ),
    "address though the pull failed": (
        [ADDRESS, FILE],
        {"DeviceNetworkEvents": [REACHED], "ledger": [pull("failed")]},
        ("corroborated", "address on wks-006; the pull is not complete for 1 of 2"),
    ),
    "address far": (
        [ADDRESS],
        {"DeviceNetworkEvents": [FAR]},
        ("partly_corroborated", "address on wks-006, but only within a day"),
    ),
    "address far though the pull failed": (
        [ADDRESS],
        {"DeviceNetworkEvents": [FAR], "ledger": [pull("failed")]},
        (
            "pending",
            "address on wks-006, but only within a day; the pull is not complete for 1 of 1",
        ),
    ),
    "address anywhere": (
        [ADDRESS],
        {"DeviceNetworkEvents": [REACHED], "devices": ()},
        ("partly_corroborated", "address on wks-006, which the alert does not name"),
    ),
    "name": (
        [item("File", FileName="noise")],
        {},
        ("partly_corroborated", "file by name only on wks-006"),
    ),
    "account": (
        [USER],
        {"DeviceLogonEvents": [LOGGED]},
        ("partly_corroborated", "logons of the account on wks-006"),
    ),
    "device": ([MACHINE], {}, ("partly_corroborated", "activity of the device on wks-006")),
    "ambiguous": (
        [SEVERAL[0]],
        processes(started("b", at=T - 1), started("c", at=T + 1)),
        ("partly_corroborated", "1 of 1 process could be one of several"),
    ),
    "account though the pull failed": (
        [USER, ADDRESS],
        {"DeviceLogonEvents": [LOGGED], "ledger": [pull("failed")]},
        (
            "pending",
            "logons of the account on wks-006; the pull is not complete for 1 of 2",
        ),
    ),
    "pull failed": (
        [ADDRESS],
        {"ledger": [pull("partial")]},
        ("pending", "the pull is not complete for 1 of 1"),
    ),
    "hunt failed": (
        [ADDRESS],
        {"hunts": [hunt("failed", "ip")]},
        ("pending", "the pull is not complete for 1 of 1"),
    ),
    "fresh": ([ADDRESS], {"alerts": [alert()]}, ("pending", "1 of 1 may not have landed yet")),
    "nothing": (
        [ADDRESS, FILE, MAILBOX],
        {},
        ("uncorroborated", f"{NONE} 2 that could be looked for"),
    ),
    "silent": (
        [ADDRESS],
        {"DeviceFileEvents": []},
        (
            "uncorroborated",
            f"{NONE} 1 that could be looked for; 1 on devices that were silent then",
        ),
    ),
    "no evidence": ([], {}, ("uncorroborated", "lists no evidence")),
    "no lead": (
        [MAILBOX],
        {"ledger": [pull("failed")]},
        ("uncorroborated", "names nothing that endpoint telemetry could show"),
    ),
}


@pytest.mark.parametrize(("evidence", "tables", "expected"), CASES.values(), ids=CASES)
def test_an_alert_has_a_verdict_and_its_reason(
    evidence: list[Row], tables: dict[str, object], expected: tuple[str, str]
) -> None:
    """The verdict follows from what was matched, and the reason says that in one line."""
    assert judge(*evidence, **tables).judged == expected


def test_the_counts_behind_a_verdict_add_up() -> None:
    """Every evidence item is counted once, and the events are those of the correlated alerts."""
    keyless = process(at=None, SHA1="c" * 40, EvidenceId="keyless")
    found = judge(
        *SEVERAL,
        keyless,
        FILE,
        ADDRESS,
        MACHINE,
        hunts=[hunt("failed", "ip")],
        DeviceProcessEvents=[OWN, started("b", 8, T - 1), started("c", 8, T + 1)],
        DeviceNetworkEvents=[caused("net")],
        DeviceFileEvents=[FILED],
    )
    row = found.validation.row(0, named=True)

    assert row["Evidence"] == 7
    assert row["Processes"] == 3
    counts = ("Matched", "Pivoted", "Ambiguous", "Open", "Missed", "Unkeyed")
    assert {name: row[name] for name in counts} == {
        "Matched": 1, "Pivoted": 1, "Ambiguous": 1, "Open": 1, "Missed": 1, "Unkeyed": 2,
    }  # fmt: skip
    assert row["Events"] == 3


HOSTILE = "wks\x1b[31m\r\n<script>\u202e'\"; drop table x--\u200b" + "x" * 500


def test_no_foreign_text_gets_into_a_reason() -> None:
    """Of device names only letters, digits, points and dashes are told, and never very many."""
    rows = [
        event(f"e{n}", RemoteIP="192.0.2.1", DeviceId="d1", DeviceName=name)
        for n, name in enumerate([HOSTILE, "\u200b\n", None, "gerät.example", "b", "c"])
    ]
    _, because = judge(ADDRESS, DeviceNetworkEvents=rows).judged

    assert re.fullmatch(r"address on [\w.-]+, [\w.-]+, [\w.-]+ and 1 more", because)
    assert len(because) < 300


def test_every_alert_has_its_own_verdict() -> None:
    """Alerts of one day are judged by their own evidence alone, one row each."""
    found = match(
        [ADDRESS, FILE | {"AlertId": "a2"}, ADDRESS | {"AlertId": "a2"}],
        alerts=[active(), active("a2"), active("a3")],
        devices=[device(), device("d2", alert_id="a2")],
        DeviceNetworkEvents=[REACHED],
        DeviceFileEvents=[event("noise", DeviceId="d2")],
    )

    assert dict(found.validation.select("AlertId", "Verdict").iter_rows()) == {
        "a1": "corroborated",
        "a2": "uncorroborated",
        "a3": "uncorroborated",
    }
