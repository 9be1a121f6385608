from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from asked import framed, rows
from days import NOW, Row, T, active, alert, device, item

from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.contracts.insight import INCIDENT_STORY
from etl.lake import engine
from etl.models.insight import draw, name_things

HASH = "a" * 64
TABLES = (
    "Alerts", "AlertCorrelation", "CorrelatedAlerts", "ProcessTree", "LakeEvidence", "LakeDevices",
)  # fmt: skip


def kin(alert_id: str, pid: int, depth: int, **more: object) -> Row:
    """Return a row of mart.ProcessTree."""
    return {
        "AlertId": alert_id, "CreatedTime": NOW, "DeviceId": "d1", "ProcessId": pid,
        "ProcessCreationTicks": T + pid, "FileName": f"{pid}.exe", "Depth": depth, **more,
    }  # fmt: skip


def test_a_process_descends_from_those_that_started_it() -> None:
    """Of the ancestors only those that an alert is about are told, and no descendant."""
    found = rows(
        "lineages",
        "AlertId ProcessId Depth FileName",
        ProcessTree=[
            kin("a1", 1, 0),
            kin("a1", 3, 2),
            kin("a2", 1, -2),
            kin("a2", 2, -1),
            kin("a2", 3, 0),
            kin("a3", 1, -1, DeviceId="d2"),
            kin("a4", 1, -1, ProcessCreationTicks=T),
        ],
    )

    assert found == [("a1", 1, 0, "1.exe"), ("a2", 1, -2, "1.exe"), ("a2", 3, 0, "3.exe")]


LINEAGE = {
    "AlertId": "a1", "DeviceId": "d1", "ProcessId": 7, "ProcessCreationTicks": 5, "Depth": -2,
    "FileName": "x\n.exe",
}  # fmt: skip


def test_evidence_names_what_could_tie_alerts() -> None:
    """Files by every hash, public addresses, hosts and persons; and processes of the lineage."""
    found = rows(
        "story_things",
        "Kind Thing Own Label",
        Lineages=[LINEAGE],
        LakeEvidence=[
            item("File", FileName="a\u202e<b>.exe", SHA256=HASH.upper(), SHA1="b" * 40),
            item("Process", FileName="cmd.exe", SHA256="c" * 64, AccountSid="S-1-5-18"),
            item("Ip", RemoteIP="::ffff:198.51.100.7"),
            item("Url", RemoteUrl="https://cdn.example/x"),
            item("User", AccountName="Ada", AccountSid="S-1-5-21-1-2-3-1001"),
            item("User", AccountName="bob", AccountDomain="Corp"),
        ],
    )

    assert found == [
        ("account", "corp\\bob", True, "bob"),
        ("account", "s-1-5-21-1-2-3-1001", True, "ada"),
        ("address", "198.51.100.7", True, "198.51.100.7"),
        ("file", HASH, True, "ab.exe"),
        ("file", "b" * 40, True, "ab.exe"),
        ("process", "d1 7 5", False, "x.exe"),
        ("url", "cdn.example", True, "cdn.example"),
    ]


@pytest.mark.parametrize(
    "named",
    [
        *[{"RemoteIP": ip} for ip in (
            "10.0.0.1", "127.0.0.1", "192.168.1.1", "172.16.0.1", "172.31.9.9", "169.254.1.1",
            "100.64.0.1", "224.0.0.1", "255.255.255.255", "0.1.1.1", "::1", "FE80::1", "fd00::1",
            "ff02::1", "::ffff:10.1.1.1", "",
        )],
        *[{"AccountName": name} for name in ("SYSTEM", "root", "WKS-006$", "Local Service", "")],
        *[{"AccountSid": sid, "AccountName": "x"} for sid in (
            "S-1-5-19", "S-1-5-80-1", "S-1-5-90-0-1",
        )],
        {"RemoteUrl": "http://localhost:80/"},
        {"AccountDomain": "CORP"},
    ],
)  # fmt: skip
def test_what_everybody_has_ties_nobody(named: Row) -> None:
    """Addresses of private networks and accounts of the system are not told."""
    assert rows("story_things", "Kind", Lineages=[LINEAGE], LakeEvidence=[item("X", **named)]) == [
        ("process",)
    ]


@pytest.mark.parametrize(
    "ip", ["11.0.0.1", "172.32.0.1", "100.128.0.1", "223.1.1.1", "2001:db8::1"]
)
def test_a_public_address_ties(ip: str) -> None:
    """Addresses just outside of the private networks are told."""
    found = rows(
        "story_things", "Thing", Lineages=[LINEAGE], LakeEvidence=[item("Ip", RemoteIP=ip)]
    )

    assert found == [(ip,), ("d1 7 5",)]


def tie(alert_id: str, thing: str = HASH, kind: str = "file") -> Row:
    """Return what an alert's evidence names."""
    return {"AlertId": alert_id, "Kind": kind, "Thing": thing, "Own": True, "Label": thing[:4]}


def shown(*devices: str, name: str = HASH) -> list[Row]:
    """Return events of some devices that name a thing, or have it for an alias."""
    return [
        {"Kind": "file", "Name": name if n % 2 else "x", "Alias": name, "DeviceId": one}
        for n, one in enumerate(devices)
    ]


def links(sharing: int, *devices: str, earlier: int = 0) -> list[tuple[object, ...]]:
    """Return what links alerts that share a file, which the lake has seen on some devices."""
    alerts = [f"a{n:02}" for n in range(sharing)]
    before = [f"b{n}" for n in range(earlier)]
    return rows(
        "story_links",
        "AlertId Thing Alerts FirstAlertId",
        Alerts=[alert(name) for name in alerts],
        StoryThings=[*map(tie, [*alerts, *before]), tie("a00", "alone")],
        LakeDevices=[device(f"of-{name}", alert_id=name) for name in [*alerts, *before]],
        Things=shown("of-a00", "of-a01", *devices),
    )


SHARED = [("a00", HASH, 2, "a00"), ("a01", HASH, 2, "a00")]


def test_what_two_share_links_them() -> None:
    """Alerts that share a thing are linked to the smallest; what one has alone links none."""
    assert links(2) == SHARED


def test_what_more_than_three_other_devices_show_links_nobody() -> None:
    """Three devices besides those of the alerts may show it as well; a fourth is too many."""
    assert links(2, "d1", "d2", "d3", "d3") == SHARED
    assert links(2, "d1", "d2", "d3", "d4") == []


def test_devices_of_earlier_alerts_about_it_are_no_others() -> None:
    """What spread over the devices of earlier days' alerts is not common for that."""
    assert links(2, "d1", "of-b0", "of-b1", "of-b2", "of-b3", earlier=4) == SHARED


def test_what_more_than_fifty_alerts_share_links_nobody() -> None:
    """Fifty alerts of the day may share a thing, one more makes it common."""
    assert len(links(50)) == 50
    assert links(51) == []


def told(alert_id: str, label: str, kind: str, alerts: int = 2, *, own: bool = True) -> Row:
    """Return what links an alert."""
    return {"AlertId": alert_id, "Kind": kind, "Label": label, "Own": own, "Alerts": alerts}


def test_a_story_is_compared_with_incidents() -> None:
    """Equal, wider, narrower or crossing; an alert without an incident is one of its own."""
    found = rows(
        "incident_story",
        "AlertId StoryId StoryAlerts StoryIncidents IncidentAlerts IncidentStories Agreement",
        Alerts=[
            alert("a1", IncidentId="1"), alert("a2", IncidentId="1"),
            alert("b1", IncidentId="2"), alert("b2"),
            alert("c1", IncidentId="3"), alert("c2", IncidentId="3"),
            alert("d1", IncidentId="4"), alert("d2", IncidentId="5"), alert("d3", IncidentId="5"),
        ],
        StoryLinks=[told("a1", "x", "file")],
        Stories=[
            {"AlertId": one, "StoryId": f"{one[0]}1"}
            for one in ("a1", "a2", "b1", "b2", "d1", "d2")
        ],
    )  # fmt: skip

    assert found == [
        ("a1", "a1", 2, 1, 2, 1, "same"),
        ("a2", "a1", 2, 1, 2, 1, "same"),
        ("b1", "b1", 2, 2, 1, 1, "story_spans_incidents"),
        ("b2", "b1", 2, 2, 1, 1, "story_spans_incidents"),
        ("c1", "c1", 1, 1, 2, 2, "incident_spans_stories"),
        ("c2", "c2", 1, 1, 2, 2, "incident_spans_stories"),
        ("d1", "d1", 2, 2, 1, 1, "story_spans_incidents"),
        ("d2", "d1", 2, 2, 2, 2, "both"),
        ("d3", "d3", 1, 1, 2, 2, "incident_spans_stories"),
    ]


def test_a_line_says_what_links_an_alert() -> None:
    """The strongest three are told, processes first; two hashes of one file are one."""
    found = rows(
        "incident_story",
        "AlertId Because",
        Alerts=[alert("a1"), alert("a2"), alert("a3")],
        StoryLinks=[
            told("a1", "ada", "account", 4),
            told("a1", "x.exe", "file", 3),
            told("a1", "x.exe", "file", 2),
            told("a1", "cmd.exe", "process", own=False),
            told("a1", "cdn.example", "url"),
            told("a2", "", "file"),
        ],
        Stories=[{"AlertId": "a1", "StoryId": "a1"}],
    )

    assert dict(found) == {
        "a1": "shares descent from process cmd.exe with 1 alert; file x.exe with 2 alerts; "
        "host cdn.example with 1 alert; and 1 more",
        "a2": "shares file with 1 alert",
        "a3": "shares nothing rare with another alert of its day",
    }


def stories(**tables: list[Row]) -> pl.DataFrame:
    """Return the stories of a small day, which is all that the lake holds."""
    events = {name: hunting(name).empty() for name in EVENT_TABLES}
    day = {name: framed(name, tables.get(name, ())) for name in TABLES}
    with TemporaryDirectory() as name:
        folder = Path(name)
        with engine.connection(folder) as duck:
            named = name_things(duck, day | events, folder)
        with engine.connection(folder) as duck:
            files = draw(duck, day | events | named, folder)
        found = pl.read_parquet(files["IncidentStory"])
    INCIDENT_STORY.schema.validate(found, lazy=True)
    return found


def test_an_alert_on_a_child_belongs_with_that_on_its_parent() -> None:
    """Three alerts make one story: about a process, about its grandchild, and about its file."""
    found = stories(
        Alerts=[active("a1"), active("a2"), active("a3"), active("a4")],
        LakeEvidence=[
            item("File", AlertId=name, EvidenceId="f", FileName="x", SHA256=HASH)
            for name in ("a2", "a3")
        ],
        LakeDevices=[device()],
        ProcessTree=[kin("a1", 1, 0), kin("a2", 1, -2), kin("a2", 2, -1), kin("a2", 3, 0)],
    )

    assert dict(found.select("AlertId", "StoryId").iter_rows()) == {
        "a1": "a1", "a2": "a1", "a3": "a1", "a4": "a4",
    }  # fmt: skip
    assert found["Because"].to_list() == [
        "shares process 1.exe with 1 alert",
        "shares descent from process 1.exe with 1 alert; file x with 1 alert",
        "shares file x with 1 alert",
        "shares nothing rare with another alert of its day",
    ]


def test_a_chain_of_two_thousand_alerts_is_one_story() -> None:
    """Each alert shares an address with the next, and so all belong together."""
    names = [f"a{n:04}" for n in range(2000)]
    addresses = [f"11.0.{n // 250}.{n % 250}" for n in range(2001)]
    found = stories(
        Alerts=[active(name, IncidentId="1") for name in names],
        LakeEvidence=[
            item("Ip", AlertId=name, EvidenceId=ip, RemoteIP=ip)
            for n, name in enumerate(names)
            for ip in addresses[n : n + 2]
        ],
    )

    assert found.height == 2000
    assert set(found["StoryId"]) == {"a0000"}
    assert set(found["Agreement"]) == {"same"}
