from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from asked import ask, rows
from days import ACTIVE, Row, active, alert, caused, event, started

from etl import ticks

A, B, C = "a" * 64, "b" * 64, "c" * 40
T0 = ticks.from_datetime(ACTIVE)
DAY = ticks.PER_DAY


def test_an_event_names_what_it_is_about_and_who_caused_it() -> None:
    """Files go by SHA256, else SHA1; addresses and hosts are cut to what is comparable."""
    found = rows(
        "things",
        "EventId MatchRole Kind Name Alias",
        DeviceProcessEvents=[
            started(
                "p", SHA256=A.upper(), SHA1=C.upper(), ProcessCommandLine="a -b", AccountName="Ada",
                AccountDomain="CORP", InitiatingProcessSHA1=C,
                InitiatingProcessAccountSid="S-1-5-18",
            )
        ],
        DeviceNetworkEvents=[
            event("n1", RemoteIP="::FFFF:192.0.2.1", RemoteUrl="https://u@Host.Example:8443/a?b"),
            event("n2", RemoteIP="FE80::1", InitiatingProcessCommandLine="b"),
            event("n3", RemoteIP="", RemoteUrl="bare.example"),
        ],
        DeviceLogonEvents=[event("l", AccountDomain="CORP")],
    )  # fmt: skip

    assert found == [
        ("n1", "subject", "address", "192.0.2.1", None),
        ("n1", "subject", "url", "host.example", None),
        ("n2", "initiator", "command_line", "b", None),
        ("n2", "subject", "address", "fe80::1", None),
        ("n3", "subject", "url", "bare.example", None),
        ("p", "initiator", "account", "s-1-5-18", None),
        ("p", "initiator", "file", C, C),
        ("p", "subject", "account", "corp\\ada", None),
        ("p", "subject", "command_line", "a -b", None),
        ("p", "subject", "file", A, C),
    ]


def thing(event_id: str, role: str, kind: str, name: str, **more: object) -> Row:
    """Return what an event names."""
    return {
        "EventTable": "DeviceFileEvents", "EventId": event_id, "MatchRole": role, "Kind": kind,
        "Name": name, "Alias": "", "DeviceId": "d1", "TimestampTicks": T0, **more,
    }  # fmt: skip


def correlated(event_id: str, role: str, alert_id: str = "a1") -> Row:
    """Return a row of mart.CorrelatedAlerts."""
    return {
        "AlertId": alert_id, "EvidenceId": "e1", "CreatedTime": ACTIVE, "MatchTier": "exact",
        "EvidenceType": "processEvidence", "MatchRole": role, "EventId": event_id,
        "EventTable": "DeviceFileEvents",
    }  # fmt: skip


def test_an_alert_names_what_its_events_name() -> None:
    """Of an event about the process only that counts; of one that it caused, both sides."""
    found = rows(
        "matched_things",
        "AlertId Kind Name",
        Things=[
            thing("own", "subject", "file", A),
            thing("own", "initiator", "file", "parent"),
            thing("caused", "subject", "file", B),
            thing("caused", "initiator", "file", A),
            thing("caused", "initiator", "account", "ada"),
            thing("other", "subject", "file", C),
        ],
        CorrelatedAlerts=[correlated("own", "subject"), correlated("caused", "initiator", "a2")],
    )

    assert found == [("a1", "file", A), ("a2", "file", A), ("a2", "file", B)]


def named(kind: str, name: str, alias: str = "", alert_id: str = "a1") -> Row:
    """Return what an alert names."""
    return {"AlertId": alert_id, "Kind": kind, "Name": name, "Alias": alias}


def test_every_command_line_is_told_once() -> None:
    """The lines of the lake are its events', those of the day its alerts'; each is there once."""
    things = [
        thing("1", "subject", "command_line", "x"),
        thing("2", "initiator", "command_line", "x"),
        thing("2", "initiator", "file", A),
    ]
    matched = [named("command_line", "y", alert_id=name) for name in ("a1", "a2")]

    assert rows("lines", "Line", Things=things) == [("x",)]
    assert rows("matched_lines", "Line", MatchedThings=[*matched, named("file", A)]) == [("y",)]


def test_one_thing_has_one_value_whatever_it_is_called() -> None:
    """A SHA1 stands for the SHA256 that any event tells, a command line for its shape."""
    found = rows(
        "thing_names",
        "Kind Name Value",
        MatchedThings=[
            named("file", A, C),
            named("file", C, C, "a2"),
            named("file", "d" * 40, "d" * 40),
            named("command_line", "A 1"),
            named("address", "A 1"),
        ],
        CommandShapes=[{"Line": "A 1", "Shape": "a 0"}],
    )

    assert found == [
        ("address", "A 1", "A 1"),
        ("command_line", "A 1", "a 0"),
        ("file", A, A),
        ("file", C, A),
        ("file", "d" * 40, "d" * 40),
    ]


def test_what_an_alert_names_is_dated_by_its_first_activity() -> None:
    """Each alert has each value once, with the instant before which it counts as seen."""
    late = ACTIVE + timedelta(hours=1)
    found = rows(
        "alert_things",
        "AlertId Kind Value ActivityTicks",
        MatchedThings=[named("file", A), named("file", C), named("file", A, alert_id="a2")],
        ThingNames=[
            {"Kind": "file", "Name": A, "Value": A},
            {"Kind": "file", "Name": C, "Value": A},
        ],
        Alerts=[
            alert("a1", FirstActivityTime=late, LastActivityTime=ACTIVE),
            alert("a2", CreatedTime=late),
        ],
    )

    assert found == [
        ("a1", "file", A, T0),
        ("a2", "file", A, T0 + ticks.PER_HOUR),
    ]


def bound(alert_id: str, at: int, value: str = A, kind: str = "file") -> Row:
    """Return what an alert names, and when."""
    return {"AlertId": alert_id, "Kind": kind, "Value": value, "ActivityTicks": at}


def shown(things: list[Row], alerts: list[Row], lines: list[Row] | None = None) -> pl.DataFrame:
    """Return what events show of what alerts name: the file A, also known as C, and lines."""
    names = ask(
        "name_keys",
        ThingNames=[{"Kind": "file", "Name": name, "Value": A} for name in (A, C)],
        AlertThings=alerts,
        CommandShapes=lines or [{"Line": "x", "Shape": "x"}],
    )
    return ask("seen_events", Things=things, NameKeys=names)


def sightings(
    events: pl.DataFrame, alerts: list[Row], number: int = 0, total: int = 1
) -> list[tuple[object, ...]]:
    """Return how often what alerts name was seen: of all devices, or of some part of them."""
    return rows(
        "thing_sightings",
        "Value Day BeforeTicks Events FirstTicks LastTicks",
        SeenEvents=events,
        AlertThings=alerts,
        Parts=[{"Number": number, "Total": total}],
    )


def test_command_lines_of_one_shape_are_one_thing() -> None:
    """A line of the lake counts where an alert has its shape; kinds are never mixed up."""
    alerts = [bound("a1", T0 + 1, "a 0", "command_line")]
    lines = [{"Line": line, "Shape": line.replace("22", "0")} for line in ("a 22", "b 22")]
    things = [
        thing("1", "subject", "command_line", "a 22"),
        thing("2", "subject", "command_line", "b 22"),
        thing("3", "subject", "file", "a 22"),
    ]

    assert sightings(shown(things, alerts, lines), alerts) == [
        ("a 0", T0 // DAY, T0 + 1, 1, T0, T0)
    ]


def test_an_event_counts_for_the_alerts_that_come_after_it() -> None:
    """Each event is told once, before the next alert; one at that instant or after all is not."""
    alerts = [bound("a1", T0), bound("a2", T0), bound("a3", T0 + DAY)]
    things = [
        thing("1", "subject", "file", A, TimestampTicks=T0 - 9),
        thing("1", "initiator", "file", A, TimestampTicks=T0 - 9),
        thing("2", "subject", "file", C, TimestampTicks=T0 - 5),
        thing("3", "subject", "file", B, Alias=C, TimestampTicks=T0 - 1, DeviceId="d2"),
        thing("4", "subject", "file", A, TimestampTicks=T0),
        thing("5", "subject", "file", A, TimestampTicks=T0 + DAY),
        thing("6", "subject", "file", B),
    ]
    day = T0 // DAY
    expected = [
        (A, day, T0 + DAY, 1, T0, T0),
        (A, day, T0, 1, T0 - 1, T0 - 1),
        (A, day, T0, 2, T0 - 9, T0 - 5),
    ]
    events = shown(things, alerts)
    parts = [row for number in range(3) for row in sightings(events, alerts, number, 3)]

    assert sorted(sightings(events, alerts)) == sorted(expected)
    assert sorted(parts) == sorted(expected)


def sighting(before: int, day: int, device: str = "d1", first: int = 0, last: int = 0) -> Row:
    """Return how often something was seen of a device on a day, before an alert."""
    return {
        "Kind": "file", "Value": A, "Device": device, "Day": day, "BeforeTicks": T0 + before,
        "Events": 2, "FirstTicks": T0 + first, "LastTicks": T0 + last,
    }  # fmt: skip


def test_prevalence_adds_up_over_what_came_before() -> None:
    """Devices and days count once; what nobody saw before has its row, without any."""
    found = rows(
        "alert_prevalence",
        "AlertId Value Devices Events FirstSeenAt LastSeenAt DaysSeen DevicesInLake LakeSince",
        Alerts=[active("a1"), active("a2"), active("a3")],
        AlertThings=[bound("a1", T0), bound("a2", T0 + DAY), bound("a3", T0 - DAY, B)],
        ThingSightings=[
            sighting(0, 1, first=-100, last=-50),
            sighting(0, 2, first=-40, last=-30),
            sighting(0, 2, "d2", first=-60, last=-20),
            sighting(DAY, 2, first=5, last=15),
            sighting(DAY, 3, "d3", first=10, last=10),
        ],
        KnownDevices=[
            {"DeviceId": "d1", "OldestTicks": T0 - 100},
            {"DeviceId": "d2", "OldestTicks": T0 - 60},
            {"DeviceId": "d3", "OldestTicks": T0},
        ],
    )

    def at(delta: int) -> datetime:
        return ACTIVE + timedelta(microseconds=delta // 10)

    assert found == [
        ("a1", A, 2, 6, at(-100), at(-20), 2, 2, at(-100)),
        ("a2", A, 3, 10, at(-100), at(10), 3, 3, at(-100)),
        ("a3", B, 0, 0, None, None, 0, 0, None),
    ]
    assert at(-100) == datetime(2026, 1, 9, 11, 59, 59, 999990, UTC)


@pytest.mark.parametrize("line", ["https://u:p@[2001:DB8::1]:8/x", "[2001:db8::1]"])
def test_an_address_in_a_url_keeps_its_brackets(line: str) -> None:
    """An IPv6 host is told as the URL has it."""
    found = rows("things", "Kind Name", DeviceNetworkEvents=[caused("n", RemoteUrl=line)])

    assert found == [("url", "[2001:db8::1]")]
