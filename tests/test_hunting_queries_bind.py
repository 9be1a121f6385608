import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import pytest

from etl import ticks
from etl.contracts.hunting import ALERT_TABLES, DEVICE_INFO, EVENT_TABLES, TABLES
from etl.sources import kql
from etl.sources.hunts import KINDS, Hunt, Lead, query
from etl.sources.kql import Literal
from etl.sources.scope import Group, Scope
from etl.windows import Window

ROOT: Final = Path(__file__).parent.parent
SCRIPT: Final = ROOT / "tests" / "kusto" / "bind.cjs"
MODULES: Final = ROOT / ".venv" / "kusto" / "node_modules"
PACKAGE: Final = "@kusto/language-service-next"
PINNED: Final = json.loads((SCRIPT.parent / "package.json").read_text())["dependencies"][PACKAGE]

HOSTILE: Final = (
    'x" | take 0 //',
    '\\" or true //',
    "C:\\x\\",
    "\\",
    "two\r\nlines\n| take 1",
    "nul\x00inside",
    "\ud800",
    "😀\u2028\u202e",
    "{values} $1 @\"' ```",
    "<script>",
)
START: Final = ticks.from_text("2026-01-02T03:04:05.1234567Z")
WINDOW: Final = Window(START, START + 3 * ticks.PER_HOUR)
OTHER: Final = Window(START - ticks.PER_DAY, START)


@dataclass(frozen=True, slots=True)
class Bound:
    """What Microsoft's parser says of a query: what is wrong, and the columns of its result."""

    diagnostics: list[str]
    columns: dict[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """What the parser says of all queries and string literals of this module, by their text."""

    queries: dict[str, Bound]
    literals: dict[str, str]


def parse(queries: Sequence[str], literals: Sequence[str]) -> Said:
    """Give queries and string literals to Microsoft's parser, bound against the schema."""
    node, package = shutil.which("node"), MODULES / PACKAGE / "package.json"
    if node is None or not package.exists():
        pytest.skip(f"needs Node and {PACKAGE} {PINNED} in {MODULES}; .ci/run installs both")
    if json.loads(package.read_text())["version"] != PINNED:
        pytest.skip(f"{MODULES} holds another version of {PACKAGE} than {PINNED}; run .ci/run")
    sent = json.dumps({"tables": TABLES, "queries": queries, "literals": literals})
    command = [node, str(SCRIPT), str(MODULES)]
    done = subprocess.run(command, input=sent, capture_output=True, check=True, text=True)  # noqa: S603 - our own script
    answer = json.loads(done.stdout)
    bound = [Bound(**said) for said in answer["queries"]]
    return Said(
        dict(zip(queries, bound, strict=True)),
        dict(zip(literals, answer["literals"], strict=True)),
    )


def instants(window: Window) -> dict[str, Literal]:
    """Return both ends of a window for the places of a query."""
    return {"start": kql.instant(window.start), "end": kql.instant(window.end)}


SCOPE: Final = Scope((Group(HOSTILE, WINDOW), Group(("0a" * 20,), OTHER))).condition()
COLUMN: Final = {"column": kql.column("FileName"), "values": kql.texts(HOSTILE)}
TIME: Final = {"column": kql.column("ProcessCreationTime"), "values": kql.instants([START, 0])}


def around(table: str) -> dict[str, Literal]:
    """Return what the queries for one table need."""
    return {"table": kql.tables([table]), "scope": SCOPE, **instants(WINDOW)}


def alerts(table: str) -> list[Literal]:
    """Return the queries for a table of alerts."""
    window, named = (
        kql.bind("alerts_window", **instants(WINDOW)),
        kql.bind("alerts_named", ids=kql.texts(HOSTILE)),
    )
    return [
        kql.bind("alerts", table=kql.tables([table]), condition=kql.either(conditions))
        for conditions in ([window], [named], [window, named])
    ]


def where(condition: Literal, table: str = "DeviceEvents") -> Literal:
    """Return a query of rows for which a condition holds."""
    name = kql.text(table)
    return kql.bind("hunt_one", table=kql.tables([table]), name=name, condition=condition)


def lead(kind: str, text: str, **facts: object) -> Lead:
    """Return a lead of which everything is known, all of it `text`."""
    texts = dict.fromkeys(
        (
            "sha1", "sha256", "file_name", "folder_path", "command_line", "remote_ip",
            "remote_url", "registry_key", "registry_value_name", "registry_value_data",
            "account_sid", "account_name", "account_domain",
        ),
        text,
    )  # fmt: skip
    known: dict[str, Any] = {**texts, "process_id": 7, "creation": START, **facts}
    return Lead(kind=kind, **known)


LEADS: Final = [
    *(lead(kind, text, devices=(text,)) for kind in KINDS for text in HOSTILE[:2]),
    *(lead(kind, "x") for kind in KINDS if kind != "device"),
    *(lead("process", "x", unit=unit) for unit in (1, 10, 100_000)),
    *(Lead(kind=kind) for kind in KINDS),
    Lead(kind="file", file_name="x"),
    Lead(kind="file", folder_path="C:\\x", sha1="a"),
    Lead(kind="file", command_line="x"),
    Lead(kind="account", account_name="x"),
    Lead(kind="registry_value", registry_value_data="x"),
]
HUNTS: Final = [Hunt("da1_1", None, each, WINDOW, "near") for each in LEADS]
MANY: Final = [
    Hunt("da1_1", None, lead(kind, text, devices=(text,)), window, "near")
    for kind in KINDS
    for text in HOSTILE
    for window in (WINDOW, OTHER)
]

QUERIES: Final[dict[str, list[Literal]]] = {
    "alerts": [one for table in ALERT_TABLES for one in alerts(table)],
    "alerts_named": alerts("AlertInfo"),
    "alerts_window": alerts("AlertInfo"),
    "count": [
        kql.bind("count", tables=kql.tables(tables), scope=SCOPE, **instants(WINDOW))
        for tables in (EVENT_TABLES, EVENT_TABLES[:2])
    ],
    "count_one": [kql.bind("count_one", **around(table)) for table in EVENT_TABLES],
    "device_info": [
        kql.bind("device_info", devices=kql.texts(devices), **around(DEVICE_INFO))
        for devices in (HOSTILE, ("0a" * 20,))
    ],
    "device_window": [where(SCOPE)],
    "hunt": [query(HUNTS + MANY)],
    "hunt_one": [query([hunt]) for hunt in HUNTS if hunt.lead.kind == "account"],
    "hunt_window": [query([hunt]) for hunt in HUNTS],
    "is_any_of_tables": [query([hunt, HUNTS[0]]) for hunt in HUNTS if hunt.lead.kind == "account"],
    "is_empty": [where(kql.bind("is_empty", column=kql.column("SHA1")))],
    "is_number": [
        where(kql.bind("is_number", column=kql.column("ProcessId"), values=kql.numbers([0, 1])))
    ],
    "is_registry_key": [query([h]) for h in HUNTS if h.lead.kind == "registry_key"],
    "is_text": [where(kql.bind("is_text", **COLUMN))],
    "is_text_in_either_case": [where(kql.bind("is_text_in_either_case", **COLUMN))],
    "is_text_or_empty": [where(kql.bind("is_text_or_empty", **COLUMN))],
    "is_time": [where(kql.bind("is_time", **TIME))],
    "is_time_cut": [
        where(kql.bind("is_time_cut", precision=kql.span(span), **TIME))
        for span in (1, 10, 100_000)
    ],
    "newest": [kql.bind("newest", table=kql.tables([table])) for table in EVENT_TABLES],
    "nothing": [where(kql.bind("nothing"))],
    "window": [kql.bind("window", **around(table)) for table in EVENT_TABLES],
}
"""Every query file, bound as the pipeline binds it."""


WRONG: Final = {
    "DeviceEvents | where Nonsense == 1": "Nonsense",
    "DeviceNetworkEvents | where SHA1 == ''": "SHA1",
    "Nowhere | take 1": "Nowhere",
    "DeviceEvents | wher Timestamp > ago(1h)": "Query operator expected",
    "DeviceEvents | where (Timestamp > ago(1h)": "Expected: )",
    "DeviceEvents | where Timestamp > 'x'": "not defined",
    "DeviceEvents | where FileName in ()": "Missing expression",
    'DeviceEvents | where FileName == "x\\"': 'Missing: "',
}
"""Queries that are none, and a part of what the parser must say of each."""

TWO_TYPES: Final = "union DeviceEvents, EmailEvents"
"""Tables that disagree about the type of a column."""

TEXTS: Final = (*HOSTILE, *map(chr, (*range(0x250), 0x2029, 0xFEFF, 0xFFFF, 0x10FFFF)))


@pytest.fixture(scope="module")
def said() -> Said:
    """Return what Microsoft's parser says of everything here; it takes long to start."""
    queries = [one.kql for several in QUERIES.values() for one in several]
    literals = [kql.text(text).kql for text in TEXTS]
    return parse([*dict.fromkeys(queries), *WRONG, TWO_TYPES], literals)


def test_every_query_file_is_checked() -> None:
    """No query file is without an example here."""
    files = {Path(file.name) for file in resources.files(kql).iterdir()}

    assert QUERIES.keys() == {file.stem for file in files if file.suffix == ".kql"}


@pytest.mark.parametrize("file", QUERIES)
def test_a_query_binds_without_a_diagnostic(said: Said, file: str) -> None:
    """Microsoft's parser has nothing to say of a query, whatever attackers wrote into it."""
    wrong = {one.kql: said.queries[one.kql].diagnostics for one in QUERIES[file]}

    assert QUERIES[file]
    assert [text for text, diagnostics in wrong.items() if diagnostics] == []


def test_a_union_of_the_event_tables_renames_no_column(said: Said) -> None:
    """Tables give a column of one name one type, so the rows of a union read as their tables do."""
    united: dict[str, str] = {"SourceTable": "string"}
    for table in EVENT_TABLES:
        united |= TABLES[table]

    assert said.queries[query(HUNTS + MANY).kql].columns == united


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_query_is_complained_about(said: Said, text: str) -> None:
    """Unknown columns and tables, bad syntax, mixed types and open literals have diagnostics."""
    diagnostics = said.queries[text].diagnostics

    assert any(WRONG[text] in one for one in diagnostics), diagnostics


def test_a_column_of_two_types_is_renamed(said: Said) -> None:
    """A union whose tables disagree shows it in the columns: the check of unions can fail."""
    assert {"ReportId_long", "ReportId_string"} <= said.queries[TWO_TYPES].columns.keys()


def test_microsoft_s_parser_reads_a_text_literal_as_the_text(said: Said) -> None:
    """A literal stands for just the text that it was made of."""
    assert {text: said.literals[kql.text(text).kql] for text in TEXTS} == {t: t for t in TEXTS}
