import json
import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import ticks, values
from etl.contracts.hunting import EVENT_TABLES, TABLES
from etl.sandbox import moments, tables
from etl.sandbox.engine import Engine, Scope
from etl.sources import kql
from etl.sources.hunts import KINDS, Hunt, Lead, batches, credit, query
from etl.windows import Window

Row = dict[str, Any]
Stored = dict[str, list[Row]]

NOW: Final = ticks.from_text("2026-01-02T12:00:00Z")
AROUND: Final = Window(NOW - 2 * ticks.PER_HOUR, NOW + 2 * ticks.PER_HOUR)
HERE, THERE = "0a" * 20, "0b" * 20
SEEN: Final = Scope(0, 4_000 * moments.DAY * 365, NOW - moments.UNIX_EPOCH, 1_000_000)
ANY_TEXT: Final = st.text(st.characters(categories=None, exclude_categories=()))
HOSTILE: Final = (
    'x" | take 0 //',
    '\\" or true or "" == "',
    "C:\\x\\",
    "two\r\nlines",
    "nul\x00inside",
    "\ud800",
    "{values}",
    "\u202ecod.exe",
    "İstanbul ΣΑΣ straße",
    " ",
)


def serve(stored: Stored) -> Engine:
    """Return an engine over some rows; a row lacks what it does not say."""
    others = tuple(tables.schema().keys() - set(EVENT_TABLES))
    frames = {
        table: tables.conform(
            pl.DataFrame(stored.get(table) or None, schema=_schema(table), orient="row"), table
        )
        for table in EVENT_TABLES
    }
    return Engine(frames, missing=others)


def ask(engine: Engine, hunts: Sequence[Hunt]) -> list[Row]:
    """Run the query of some hunts; return its rows."""
    rows: list[Row] = json.loads(engine.ask(query(hunts).kql, SEEN)[1])
    return rows


def found(engine: Engine, *hunts: Hunt) -> set[str]:
    """Return the names that the test has given to the rows which a query returns."""
    return {row["DeviceName"] for row in ask(engine, hunts)}


def hunt(window: Window = AROUND, reach: str = "near", **facts: Any) -> Hunt:  # noqa: ANN401 - of any type
    """Return a hunt for a lead."""
    return Hunt("da1_1", "e1", Lead(**facts), window, reach)


def event(name: str, at: int = NOW, device: str = HERE, **columns: object) -> Row:
    """Return a row; DeviceName is where the test names it."""
    return {"Timestamp": at, "DeviceId": device, "DeviceName": name, **columns}


@cache
def _schema(table: str) -> dict[str, pl.DataType]:
    return dict(tables.empty(table).schema)


def same(one: str, other: str) -> bool:
    """Return whether two texts are equal, letter by letter, upper and lower case aside."""
    pairs = [[letter.lower()[0] for letter in text] for text in (one, other)]
    return pairs[0] == pairs[1]


def exactly(one: str, other: str) -> bool:
    """Return whether two texts are equal."""
    return one == other


PLACES: Final[dict[str, tuple[str, str, str, Callable[[str, str], bool]]]] = {
    "file_name": ("file", "DeviceFileEvents", "FileName", same),
    "folder_path": ("file", "DeviceImageLoadEvents", "FolderPath", same),
    "command_line": ("file", "DeviceProcessEvents", "ProcessCommandLine", exactly),
    "remote_url": ("url", "DeviceFileEvents", "FileOriginUrl", same),
    "registry_value_name": ("registry_value", "DeviceRegistryEvents", "RegistryValueName", same),
    "registry_value_data": ("registry_value", "DeviceRegistryEvents", "RegistryValueData", same),
    "account_name": ("account", "DeviceLogonEvents", "AccountName", same),
    "account_sid": ("account", "DeviceLogonEvents", "AccountSid", same),
}
"""Of each fact of a lead the kind, a table and a column that it is looked for in, and equality."""


@pytest.mark.parametrize("place", PLACES)
@given(st.lists(st.one_of(ANY_TEXT, st.sampled_from(HOSTILE)), min_size=1, max_size=8))
@settings(max_examples=8)
def test_a_query_returns_just_the_rows_whose_value_equals_the_evidence_s(
    place: str, given_texts: list[str]
) -> None:
    """The law of equality.

    For any texts, as values.text() keeps them, the query for the first returns every row whose
    value equals it and no other: names, paths, addresses, accounts and registry values whatever
    their case, letter by letter; command lines to the letter.
    """
    kind, table, column, equal = PLACES[place]
    wanted = given_texts[0]
    near = [wanted.swapcase(), wanted + "x", wanted + "\0", " " + wanted, wanted[:-1]]
    kept = [text for text in map(values.text, given_texts + near) if text is not None]
    rows = [event(str(at), **{column: text}) for at, text in enumerate(kept)]
    engine = serve({table: rows})
    asked = found(engine, hunt(kind=kind, devices=(HERE,), **{place: wanted}))
    engine.close()

    sought = values.text(wanted)
    equals = {str(at) for at, text in enumerate(kept) if sought and equal(sought, text)}
    assert asked == equals


NAMES: Final = ("cmd.exe", "CMD.EXE", "évil.exe", "ÉVIL.exe", *HOSTILE[:2])
KEYS: Final = (
    "HKEY_CURRENT_USER\\Software\\Run",
    "HKEY_CURRENT_USER\\S-1-5-21-7\\SOFTWARE\\RUN",
    "HKEY_LOCAL_MACHINE\\SOFTWARE\\Run",
    "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\x",
    "SYSTEM\\CURRENTCONTROLSET\\Services\\x",
    "software\\run",
)
TIMES: Final = tuple(
    ticks.from_text(f"2026-01-02T0{hour}:00:00.{fraction}Z")
    for hour in (1, 2)
    for fraction in ("5", "5000001", "5012345", "501234", "51", "4999999")
)
POOLS: Final[dict[str, tuple[object, ...]]] = {
    "DeviceId": (HERE, HERE.upper(), THERE),
    "ProcessId": (7, 8),
    "ProcessCreationTime": TIMES,
    "FileName": NAMES,
    "FolderPath": tuple(f"C:\\{name}" for name in NAMES),
    "SHA1": ("a" * 40, "A" * 40, "b" * 40, ""),
    "SHA256": ("a" * 64, "c" * 64, ""),
    "ProcessCommandLine": NAMES,
    "RemoteIP": ("198.51.100.7", "2001:db8::A", "2001:DB8::a"),
    "RemoteUrl": ("https://EVIL.example/a?b=/c", "evil.example/a?b=/c", "Evil.example", "other"),
    "RegistryKey": KEYS,
    "RegistryValueName": ("Updater", "UPDATER", ""),
    "RegistryValueData": ("1", "C:\\x.exe"),
    "AccountSid": ("S-1-5-21-7", "s-1-5-21-7", ""),
    "AccountName": ("kim", "KIM", "jo"),
    "AccountDomain": ("corp", "CORP", "other", ""),
}
"""What rows hold and leads ask for; an initiator's columns hold the same."""


def _pool(column: str) -> tuple[object, ...] | None:
    name = column.removeprefix("Initiating")
    name = name if name in POOLS else column.removeprefix("InitiatingProcess")
    return POOLS.get("RemoteUrl" if name == "FileOriginUrl" else name)


@pytest.fixture(scope="module")
def crowd() -> Iterator[Engine]:
    """Return an engine over random rows of all event tables."""
    chance = random.Random(7)
    stored: Stored = {}
    for table in EVENT_TABLES:
        for number in range(120):
            row = event(f"{table} {number}", NOW + chance.randrange(-4, 4) * ticks.PER_HOUR)
            for column in TABLES[table]:
                pool = _pool(column)
                if pool and chance.random() < 0.8:
                    row[column] = chance.choice(pool)
            stored.setdefault(table, []).append({**row, "DeviceId": row["DeviceId"] or HERE})
    engine = serve(stored)
    yield engine
    engine.close()


FACTS: Final = {
    "process_id": "ProcessId",
    "creation": "ProcessCreationTime",
    "sha1": "SHA1",
    "sha256": "SHA256",
    "file_name": "FileName",
    "folder_path": "FolderPath",
    "command_line": "ProcessCommandLine",
    "remote_ip": "RemoteIP",
    "remote_url": "RemoteUrl",
    "registry_key": "RegistryKey",
    "registry_value_name": "RegistryValueName",
    "registry_value_data": "RegistryValueData",
    "account_sid": "AccountSid",
    "account_name": "AccountName",
    "account_domain": "AccountDomain",
}
LEADS: Final = st.builds(
    Lead,
    kind=st.sampled_from(KINDS),
    devices=st.sampled_from([(), (HERE,), (THERE.upper(),), (HERE, THERE)]),
    unit=st.sampled_from([1, 10, 100_000]),
    **{
        fact: st.one_of(st.none(), st.sampled_from(POOLS[column])) for fact, column in FACTS.items()
    },
)
WINDOWS: Final = st.sampled_from([AROUND, Window(NOW - 1, NOW + 1), Window(NOW, NOW + 9)])
HUNTS: Final = st.builds(Hunt, st.just("da1_1"), st.just("e1"), LEADS, WINDOWS, st.just("near"))


@given(hunts=st.lists(HUNTS, min_size=1, max_size=3))
@settings(max_examples=20)
def test_credit_counts_what_the_hunt_alone_returns(crowd: Engine, hunts: list[Hunt]) -> None:
    """A batch holds all rows of each of its hunts; of these rows, credit counts just as many."""
    batch = ask(crowd, hunts)
    alone = [ask(crowd, [one]) for one in hunts]

    names = {row["DeviceName"] for row in batch}
    assert all(row["DeviceName"] in names for rows in alone for row in rows)
    assert credit(hunts, batch) == [len(rows) for rows in alone]


def test_credit_counts_rows_whose_columns_are_spelled_otherwise() -> None:
    """Rows count whatever the case of their names; without a table or a time they do not."""
    row = {"sourcetable": "DeviceEvents", "timestamp": "2026-01-02T12:00:00Z", "deviceid": HERE}
    strange = [{**row, "timestamp": "today"}, {**row, "sourcetable": None}, {}, {**row, "x": [1]}]

    assert credit([hunt(kind="device", devices=(HERE,))], [row, *strange]) == [2]


def test_a_process_is_found_in_every_role_of_every_table() -> None:
    """A process key returns the creation row, events about it and events of it; no other pid's."""
    key, other = {"ProcessId": 7, "ProcessCreationTime": TIMES[2]}, {"ProcessId": 8}
    mine = {f"Initiating{name}": value for name, value in key.items()}
    engine = serve(
        {
            "DeviceProcessEvents": [event("created", **key), event("pid", **(key | other))],
            "DeviceEvents": [event("about", **key), event("elsewhere", device=THERE, **key)],
            **{table: [event(table, **mine)] for table in EVENT_TABLES[1:6]},
        }
    )
    lead = {"devices": (HERE.upper(),), "process_id": 7, "creation": TIMES[2]}

    assert found(engine, hunt(kind="process", **lead)) == {"created", "about", *EVENT_TABLES[1:6]}
    assert found(engine, hunt(kind="ancestors", **lead)) == {"created"}


def test_descendants_are_the_processes_that_a_process_created() -> None:
    """Of all that a process did, descendants are its rows of DeviceProcessEvents alone."""
    mine = {"InitiatingProcessId": 7, "InitiatingProcessCreationTime": TIMES[2]}
    engine = serve({table: [event(table, **mine)] for table in EVENT_TABLES})
    lead = {"devices": (HERE,), "process_id": 7, "creation": TIMES[2]}

    assert found(engine, hunt(kind="descendants", **lead)) == {"DeviceProcessEvents"}


@pytest.mark.parametrize(
    ("creation", "unit", "expected"),
    [
        ("04:05.59", 1, {"own", "cut", "neighbour"}),
        ("04:05.59", 100_000, {"own", "cut", "neighbour"}),
        ("04:05.594155", 100_000, {"own", "cut", "neighbour"}),
        ("04:05.594155", 10, {"own"}),
        ("04:05.594155", 1, {"own"}),
        ("04:05.5941559", 10, {"own"}),
        ("04:05.5941559", 1, set()),
        ("04:05.60", 100_000, set()),
    ],
)
def test_times_are_compared_as_finely_as_they_are_known(
    creation: str, unit: int, expected: set[str]
) -> None:
    """A cut time finds what it may mean and a fine time its cut mentions; an exact one itself."""
    start = "2026-01-02T03:"
    engine = serve(
        {
            "DeviceProcessEvents": [
                event(name, ProcessId=7, ProcessCreationTime=ticks.from_text(f"{start}{at}Z"))
                for name, at in (
                    ("own", "04:05.594155"),
                    ("cut", "04:05.59"),
                    ("neighbour", "04:05.5999999"),
                    ("before", "04:05.5899999"),
                )
            ]
        }
    )
    created = ticks.from_text(f"{start}{creation}Z")
    wanted = hunt(kind="process", devices=(HERE,), process_id=7, creation=created, unit=unit)

    assert found(engine, wanted) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"sha256": "A" * 64, "sha1": "b" * 40}, {"sha256", "sha1"}),
        ({"sha256": "a" * 64, "folder_path": "C:\\X.exe"}, {"sha256", "path", "image"}),
        ({"folder_path": "C:\\X.exe", "file_name": "x.exe"}, {"path", "image", "sha1", "name"}),
        ({"file_name": "X.EXE"}, {"name", "path", "sha256"}),
        ({"command_line": "x -a"}, {"line"}),
    ],
)
def test_a_file_is_sought_by_the_best_that_is_known(
    facts: dict[str, str], expected: set[str]
) -> None:
    """By hashes, and by path where a row has none; by name, or command line, for want of better."""
    engine = serve(
        {
            "DeviceFileEvents": [
                event("sha256", SHA256="a" * 64, FileName="x.exe", FolderPath="C:\\y.exe"),
                event("sha1", SHA1="B" * 40, FolderPath="c:\\x.EXE"),
                event("path", FolderPath="c:\\x.EXE", FileName="x.exe"),
                event("name", SHA256="f" * 64, FileName="x.exe", FolderPath="c:\\x.exe"),
            ],
            "DeviceNetworkEvents": [event("image", InitiatingProcessFolderPath="c:\\x.exe")],
            "DeviceLogonEvents": [event("line", InitiatingProcessCommandLine="x -a")],
            "DeviceProcessEvents": [event("shout", ProcessCommandLine="X -A")],
        }
    )

    assert found(engine, hunt(kind="file", devices=(HERE,), **facts)) == expected


def test_addresses_are_sought_wherever_hunting_has_them() -> None:
    """An address in network events, sign-ins and other events; IPv6 in either case."""
    engine = serve(
        {
            table: [event(table, RemoteIP="2001:DB8::A"), event("other", RemoteIP="::1")]
            for table in ("DeviceNetworkEvents", "DeviceLogonEvents", "DeviceEvents")
        }
    )
    expected = {"DeviceNetworkEvents", "DeviceLogonEvents", "DeviceEvents"}

    assert found(engine, hunt(kind="ip", remote_ip="2001:db8::a")) == expected


def test_a_url_is_sought_with_and_without_scheme_and_as_a_host() -> None:
    """A URL, the same without its scheme, and its host alone; a file's origin only as it is."""
    url = "HTTPS://user@Evil.example:8443/a?b"
    texts = [url.lower(), "user@evil.example:8443/a?b", "EVIL.example", "evil.example/a", "example"]
    engine = serve(
        {
            "DeviceNetworkEvents": [event(text, RemoteUrl=text) for text in texts],
            "DeviceFileEvents": [event(f"from {text}", FileOriginUrl=text) for text in texts],
        }
    )

    assert found(engine, hunt(kind="url", remote_url=url)) == {*texts[:3], f"from {texts[0]}"}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("HKEY_CURRENT_USER\\SOFTWARE\\RUN", {"user", "sid", "users", "bare"}),
        ("HKEY_LOCAL_MACHINE\\Software\\Run\\", {"machine", "bare"}),
        ("Software\\Run", {"user", "sid", "users", "bare", "machine"}),
        ("HKLM\\SYSTEM\\CONTROLSET001\\Services", {"services"}),
        ("System\\CurrentControlSet\\Services", {"services"}),
        ("HKEY_LOCAL_MACHINE", set()),
    ],
)
def test_registry_keys_are_found_in_any_spelling(key: str, expected: set[str]) -> None:
    """A key is found with or without hive, SID and number of the control set, in either case."""
    spelled = {
        "user": "HKEY_CURRENT_USER\\Software\\Run",
        "sid": "HKEY_CURRENT_USER\\S-1-5-21-7-8\\Software\\Run",
        "users": "HKEY_USERS\\S-1-5-21-7-8\\Software\\Run",
        "machine": "HKEY_LOCAL_MACHINE\\SOFTWARE\\Run",
        "bare": "\\software\\run",
        "below": "HKEY_CURRENT_USER\\Software\\Run\\Deeper",
        "services": "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002\\Services",
    }
    rows = [event(name, RegistryKey=text) for name, text in spelled.items()]
    engine = serve({"DeviceRegistryEvents": rows})

    assert found(engine, hunt(kind="registry_key", registry_key=key)) == expected


def test_all_that_is_known_of_a_registry_value_must_agree() -> None:
    """Key, name and data of a value are asked for together, as far as they are known."""
    key = "HKEY_CURRENT_USER\\Software\\Run"
    engine = serve(
        {
            "DeviceRegistryEvents": [
                event("all", RegistryKey=key, RegistryValueName="u", RegistryValueData="X"),
                event("data", RegistryKey=key, RegistryValueName="v", RegistryValueData="x"),
                event("key", RegistryKey=key, RegistryValueName="u", RegistryValueData="y"),
            ]
        }
    )
    data = {"kind": "registry_value", "registry_value_data": "x"}

    assert found(engine, hunt(**data)) == {"all", "data"}
    assert found(engine, hunt(**data, registry_value_name="U", registry_key=key)) == {"all"}


def test_an_account_is_sought_by_sid_and_by_name_where_nothing_speaks_against() -> None:
    """A SID decides; a name counts where the row has no other SID and no other domain."""
    engine = serve(
        {
            "DeviceLogonEvents": [
                event("sid", AccountSid="s-1-5-21-7", AccountName="renamed"),
                event("name", AccountName="KIM", AccountDomain="CORP"),
                event("bare", AccountName="kim"),
                event("elsewhere", AccountName="kim", AccountDomain="other"),
                event("namesake", AccountName="kim", AccountSid="S-1-5-21-8"),
            ],
            "DeviceProcessEvents": [event("process", AccountSid="S-1-5-21-7")],
        }
    )
    kim = hunt(kind="account", account_sid="S-1-5-21-7", account_name="kim", account_domain="corp")

    assert found(engine, kim) == {"sid", "name", "bare"}


def test_a_device_is_asked_for_all_that_it_did_in_the_window() -> None:
    """A device lead returns every row of the device, in the whole hours of the window."""
    hour = ticks.PER_HOUR
    engine = serve(
        {
            "DeviceEvents": [
                event("in", NOW),
                event("late", NOW + hour),
                event("it", device=THERE),
            ],
            "DeviceLogonEvents": [event("last", NOW + hour - 1), event("early", NOW - 1)],
        }
    )
    wanted = hunt(Window(NOW + 5, NOW + 6), kind="device", devices=(HERE,))

    assert found(engine, wanted) == {"in", "last"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_lead_that_says_nothing_finds_nothing(crowd: Engine, kind: str) -> None:
    """Where there is no value to look for, no row answers, least of all every row."""
    empty = hunt(kind=kind, registry_key="", file_name="", account_name="", process_id=7)

    assert found(crowd, empty) == set()
    assert credit([empty], [{"SourceTable": "DeviceEvents", "Timestamp": "2026-01-02T12:00Z"}]) == [
        0
    ]


def test_hunts_that_ask_alike_share_their_lists() -> None:
    """Process keys within the same hours are one clause a role, whatever their number."""
    many = [
        hunt(
            Window(AROUND.start + pid, AROUND.end - pid),
            kind="process",
            devices=(f"{pid:040x}",),
            process_id=pid,
            creation=NOW + pid * 7,
        )
        for pid in range(1, 200)
    ]
    text = query(many).kql

    assert text.count("\n    or ") == 1
    assert text.count("Timestamp >= ") == 1
    assert len(text) < 1_000 + sum(2 * (42 + 3 + 41 + 6) for _ in many)


def test_common_names_are_not_asked_of_other_devices() -> None:
    """A file name of one device and a name of another are not asked of both."""
    engine = serve(
        {"DeviceFileEvents": [event("theirs", device=THERE, FileName="cmd.exe"), event("mine")]}
    )
    mine = hunt(kind="file", devices=(HERE,), file_name="cmd.exe")
    theirs = hunt(kind="file", devices=(THERE,), file_name="x.exe")

    assert found(engine, mine, theirs) == set()


@given(hunts=st.lists(HUNTS, max_size=40), most=st.integers(400, 6_000))
@settings(max_examples=40)
def test_batches_hold_every_hunt_once_and_stay_short(hunts: list[Hunt], most: int) -> None:
    """Every hunt is in one batch; a query is as long as it may be at most, if it is of several."""
    packed = batches(hunts, most)

    assert sorted(map(repr, hunts)) == sorted(repr(one) for batch in packed for one in batch)
    assert all(len(batch) == 1 or len(query(batch).kql) < most for batch in packed)


def test_batches_are_few() -> None:
    """Hunts fill a batch before the next begins."""
    many = [
        hunt(kind="file", devices=(f"{number % 50:040x}",), sha1=f"{number:040x}")
        for number in range(1_000)
    ]
    packed = batches(many, 100_000)

    assert len(packed) == 1
    assert sum(len(query(batch).kql) for batch in packed) > 1_000 * 40


@pytest.mark.parametrize("kind", KINDS)
def test_every_query_is_bounded_in_time(kind: str) -> None:
    """No hunt is sent without a first and a last instant."""
    facts: dict[str, Any] = {
        fact: POOLS[column][0] for fact, column in FACTS.items() if fact != "creation"
    }
    text = query([hunt(kind=kind, devices=(HERE,), creation=NOW, **facts)]).kql

    start, end = (kql.instant(tick).kql for tick in (AROUND.start, AROUND.end))
    assert f"(Timestamp >= {start} and Timestamp < {end} and " in text
