"""Hunting queries over HTTPS: the operators, functions and refusals of the fake service."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
import requests

from etl.sandbox import Sandbox, Tenant, moments

Hunt = Callable[[str], list[dict[str, Any]]]
PATH = "/v1.0/security/runHuntingQuery"


def post(
    sandbox: Sandbox, graph: requests.Session, query: str, **fields: object
) -> requests.Response:
    """Send a query."""
    return graph.post(sandbox.url + PATH, json={"Query": query, **fields}, timeout=30)


def count(hunt: Hunt, query: str) -> int:
    """Return the number of rows of a query."""
    found: int = hunt(f"{query} | count")[0]["Count"]
    return found


NAME, KIND = pl.col("FileName"), pl.col("ActionType")
PROCESSES = pl.col("FolderPath").str.to_lowercase()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('FileName == "cmd.exe"', NAME == "cmd.exe"),
        ('FileName == "CMD.exe"', pl.lit(value=False)),
        ('FileName =~ "CMD.exe"', NAME == "cmd.exe"),
        ('FileName != "cmd.exe"', NAME != "cmd.exe"),
        ('FileName in ("cmd.exe", "bash")', NAME.is_in(["cmd.exe", "bash"])),
        ('FileName in~ ("CMD.EXE", "Bash")', NAME.is_in(["cmd.exe", "bash"])),
        ('FileName !in ("cmd.exe")', NAME != "cmd.exe"),
        ("ProcessId between (4 .. 1000)", pl.col("ProcessId").is_between(4, 1000)),
        ('FolderPath contains "SYSTEM32"', PROCESSES.str.contains("system32")),
        ('FolderPath startswith "c:\\\\windows"', PROCESSES.str.starts_with("c:\\windows")),
        ('FolderPath endswith @"\\cmd.exe"', PROCESSES.str.ends_with("\\cmd.exe")),
        ('FileName has "cmd"', NAME == "cmd.exe"),
        (
            '(FileName == "cmd.exe" or FileName == "bash") and ProcessId > 1000',
            NAME.is_in(["cmd.exe", "bash"]) & (pl.col("ProcessId") > 1000),
        ),
        ("isnotempty(ProcessUniqueId)", pl.col("ProcessUniqueId").is_not_null()),
        ("isempty(ProcessUniqueId)", pl.col("ProcessUniqueId").is_null()),
        ('tolower(FileName) == "outlook.exe"', NAME == "OUTLOOK.EXE"),
        (
            "isnull(InitiatingProcessCreationTime)",
            pl.col("InitiatingProcessCreationTime").is_null(),
        ),
        ('strcat(FileName, "!") == "cmd.exe!"', NAME == "cmd.exe"),
        ("tolong(ProcessUniqueId) > 1000", pl.col("ProcessUniqueId").cast(pl.Int64) > 1000),
    ],
)
def test_conditions_select_the_right_rows(
    hunt: Hunt, small: Tenant, condition: str, expected: pl.Expr
) -> None:
    """A condition finds as many rows as the same condition on the generated table."""
    wanted = len(small.tables["DeviceProcessEvents"].filter(expected))

    assert count(hunt, f"DeviceProcessEvents | where {condition}") == wanted


@pytest.mark.parametrize("text", ['x" | take 0 //', "<script>alert(1)</script>", "two\r\nlines"])
def test_hostile_text_stays_inside_its_literal(hunt: Hunt, small: Tenant, text: str) -> None:
    """Quotes, line ends and query text in a string literal are data."""
    literal = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r")
    literal = literal.replace("\n", "\\n")
    lines = small.tables["DeviceProcessEvents"]["ProcessCommandLine"]
    wanted = lines.str.contains(text, literal=True).sum()

    query = f'DeviceProcessEvents | where ProcessCommandLine contains "{literal}"'
    assert count(hunt, query) == wanted


def test_take_and_top_limit_rows(hunt: Hunt, small: Tenant) -> None:
    """`take`, `limit` and `top` return so many rows, `top` the right ones."""
    latest = small.tables["DeviceInfo"]["Timestamp"].max()
    assert isinstance(latest, int)

    assert len(hunt("DeviceInfo | take 3")) == len(hunt("DeviceInfo | limit 3")) == 3
    assert hunt("DeviceInfo | top 1 by Timestamp desc")[0]["Timestamp"] == moments.text(latest)


def test_project_and_project_away_choose_columns(hunt: Hunt) -> None:
    """`project` keeps and computes, `project-away` drops, `extend` adds."""
    query = "DeviceInfo | project DeviceId, N = strcat(OSPlatform, '-', OSVersion) | extend E = 1"

    assert list(hunt(f"{query} | take 1")[0]) == ["DeviceId", "N", "E@odata.type", "E"]
    assert list(hunt(f"{query} | project-away N, E | take 1")[0]) == ["DeviceId"]


def test_sort_and_order_are_descending_unless_told(hunt: Hunt) -> None:
    """`sort by` and `order by` agree, descending by default."""
    down = [
        row["DeviceName"] for row in hunt("DeviceInfo | distinct DeviceName | sort by DeviceName")
    ]
    up = [
        row["DeviceName"]
        for row in hunt("DeviceInfo | distinct DeviceName | order by DeviceName asc")
    ]

    assert down == sorted(down, reverse=True)
    assert up == down[::-1]


def test_summarize_counts_by_column_and_hour(hunt: Hunt, small: Tenant) -> None:
    """Counts by device and hour agree with the generated table."""
    rows = hunt("DeviceFileEvents | summarize N = count() by DeviceId, bin(Timestamp, 1h)")
    hours = small.tables["DeviceFileEvents"].select(
        "DeviceId", pl.col("Timestamp") // moments.HOUR * moments.HOUR
    )
    wanted = {
        (device, moments.text(hour)): n
        for device, hour, n in hours.group_by("DeviceId", "Timestamp").len().rows()
    }

    assert {(row["DeviceId"], row["Timestamp"]): row["N"] for row in rows} == wanted


def test_summarize_knows_the_usual_aggregates(hunt: Hunt, small: Tenant) -> None:
    """`dcount`, `min`, `max` and `arg_max` give exact answers."""
    rows = small.tables["DeviceInfo"]
    first, last = rows["Timestamp"].min(), rows["Timestamp"].max()
    assert isinstance(first, int)
    assert isinstance(last, int)
    found = hunt(
        "DeviceInfo | summarize D = dcount(DeviceId), A = min(Timestamp), Z = max(Timestamp), "
        "arg_max(Timestamp, DeviceName)"
    )[0]

    assert found["D"] == rows["DeviceId"].n_unique()
    assert (found["A"], found["Z"]) == (moments.text(first), moments.text(last))
    assert found["DeviceName"] == rows.sort("Timestamp")["DeviceName"][-1]


def test_union_tells_where_rows_are_from(hunt: Hunt, small: Tenant) -> None:
    """`union withsource=` names each table, and missing columns are null."""
    rows = hunt(
        "union withsource=SourceTable DeviceProcessEvents, DeviceFileEvents "
        "| summarize N = count() by SourceTable"
    )

    assert {row["SourceTable"]: row["N"] for row in rows} == {
        name: len(small.tables[name]) for name in ("DeviceProcessEvents", "DeviceFileEvents")
    }


def test_let_binds_values_tables_and_functions(hunt: Hunt, small: Tenant) -> None:
    """A query may name a list, a table and a scalar function first."""
    query = (
        'let wanted = dynamic(["cmd.exe", "bash"]); let T = DeviceProcessEvents;'
        "let twice = (n: long) { n * 2 }; T | where FileName in (wanted) "
        "| extend D = twice(ProcessId)"
    )
    wanted = small.tables["DeviceProcessEvents"].filter(NAME.is_in(["cmd.exe", "bash"]))

    assert count(hunt, query) == len(wanted)


def test_join_matches_rows_and_renames_columns(hunt: Hunt, small: Tenant) -> None:
    """An inner join keeps both sides, the right one's columns with the suffix 1."""
    row = hunt(
        "DeviceProcessEvents | join kind=inner (DeviceInfo | summarize arg_max(Timestamp, "
        "OSPlatform) by DeviceId) on DeviceId | take 1"
    )[0]

    assert row["DeviceId"] == row["DeviceId1"]
    assert row["OSPlatform"] in set(small.tables["DeviceInfo"]["OSPlatform"])


def test_json_inside_text_can_be_read(hunt: Hunt) -> None:
    """`parse_json` makes text an object whose members convert."""
    rows = hunt(
        'AlertEvidence | where EntityType == "Process" | extend F = parse_json(AdditionalFields) '
        "| where isnotempty(F.ProcessId) | project P = tolong(F.ProcessId), "
        "T = todatetime(F.CreationTimeUtc), X = tostring(F.CreationTimeUtc), F"
    )

    assert rows
    assert all(row["P"] == int(row["F"]["ProcessId"]) for row in rows)
    assert all((row["T"] or "") == row["X"] for row in rows)


def test_ingestion_follows_the_event(hunt: Hunt) -> None:
    """`ingestion_time()` is some minutes after the row's Timestamp."""
    rows = hunt("DeviceInfo | extend Late = ingestion_time() - Timestamp | distinct Late")

    assert [row["Late"] for row in rows] == ["00:05:00"]


def test_numbers_and_flags_carry_their_type(sandbox: Sandbox, graph: requests.Session) -> None:
    """Int64 and SByte have a note before the value; nulls have neither note nor value."""
    body = post(
        sandbox,
        graph,
        "DeviceInfo | project Timestamp, OSBuild, IsAzureADJoined | order by OSBuild desc",
    ).json()

    assert body["schema"] == [
        {"name": "Timestamp", "type": "DateTime"},
        {"name": "OSBuild", "type": "Int64"},
        {"name": "IsAzureADJoined", "type": "SByte"},
    ]
    assert list(body["results"][0]) == [
        "Timestamp", "OSBuild@odata.type", "OSBuild",
        "IsAzureADJoined@odata.type", "IsAzureADJoined",
    ]  # fmt: skip
    assert body["results"][0]["OSBuild@odata.type"] == "#Int64"
    assert body["results"][0]["IsAzureADJoined@odata.type"] == "#SByte"
    assert body["results"][0]["IsAzureADJoined"] in (0, 1)
    assert "OSBuild@odata.type" not in body["results"][-1]
    assert body["results"][-1]["OSBuild"] is None


def test_dynamic_columns_are_nested_json(hunt: Hunt) -> None:
    """A dynamic value is an object, and numbers beside it keep their notes."""
    row = hunt('print D = parse_json(\'{"a": [1, "x"]}\'), N = 2, Z = long(null)')[0]

    assert row == {"D": {"a": [1, "x"]}, "N@odata.type": "#Int64", "N": 2, "Z": None}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "Nowhere | where x == 1",
            "'where' operator: Failed to resolve table or column expression named 'Nowhere'",
        ),
        (
            "DeviceInfo | project nonsense",
            "'project' operator: Failed to resolve scalar expression named 'nonsense'",
        ),
        (
            "DeviceInfo | where deviceid == 'x'",
            "'where' operator: Failed to resolve scalar expression named 'deviceid'",
        ),
        ("DeviceInfo | wher DeviceId == ''", "A recognition error occurred."),
        ("DeviceInfo | where Timestamp > '2026-01-01'", "Cannot compare values of types datetime"),
        ("DeviceInfo | project format_datetime(Timestamp, 'yyyy')", "'format_datetime'"),
        ("DeviceInfo | summarize make_list(Timestamp)", "'make_list'"),
        ("DeviceInfo | project startofmonth(Timestamp)", "'startofmonth'"),
        ("DeviceInfo | project datetime_diff('month', Timestamp, now())", "'month'"),
        ("print tick_at(5)", "Unknown function: 'tick_at'"),
        ("print datetime(2026-13-45)", "A recognition error occurred."),
    ],
)
def test_bad_queries_are_refused_in_the_service_s_words(
    sandbox: Sandbox, graph: requests.Session, query: str, message: str
) -> None:
    """Unknown names, bad syntax and functions that would be inexact are 400 BadRequest."""
    response = post(sandbox, graph, query)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "BadRequest"
    assert message in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "query",
    [
        'externaldata(a: string)["/etc/passwd"]',
        "duckdb_settings | take 1",
        'database("store").DeviceInfo | take 1',
        "['read_csv(\"/etc/passwd\")'] | take 1",
        "print getenv('HOME')",
        "print read_text('/etc/passwd')",
        ".drop table DeviceInfo",
        ".show tables",
        "DeviceInfo; DeviceInfo",
    ],
)
def test_queries_reach_nothing_but_the_tables(
    sandbox: Sandbox, graph: requests.Session, query: str
) -> None:
    """Files, settings, other schemas and commands are out of reach."""
    assert post(sandbox, graph, query).status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"Query": ""}', b'{"Query": 5}'])
def test_bodies_without_a_query_are_refused(
    sandbox: Sandbox, graph: requests.Session, body: bytes
) -> None:
    """Anything but a JSON object with a query is 400."""
    assert graph.post(sandbox.url + PATH, data=body, timeout=30).status_code == 400


def test_body_keys_may_be_in_any_case(sandbox: Sandbox, graph: requests.Session) -> None:
    """`query` and `QUERY` are `Query`."""
    for name in ("query", "QUERY"):
        body = {name: "DeviceInfo | count"}
        assert graph.post(sandbox.url + PATH, json=body, timeout=30).status_code == 200


@pytest.mark.parametrize("form", ["{day}/{next}", "P1D/{next}", "{day}/P1D", "{day}/PT24H"])
def test_a_timespan_narrows_what_is_seen(
    sandbox: Sandbox, graph: requests.Session, form: str
) -> None:
    """All forms of an ISO 8601 interval mean the same day."""
    tenant = sandbox.tenant
    start = moments.midnight(tenant.days[0])
    end = start + moments.DAY
    span = form.format(day=moments.text(start), next=moments.text(end))
    wanted = tenant.tables["DeviceFileEvents"]["Timestamp"].is_between(start, end).sum()
    rows = post(sandbox, graph, "DeviceFileEvents | count", Timespan=span).json()["results"]

    assert rows[0]["Count"] == wanted


def test_a_timespan_that_is_none_is_refused(sandbox: Sandbox, graph: requests.Session) -> None:
    """Text that is no ISO 8601 interval is 400."""
    assert post(sandbox, graph, "DeviceInfo", Timespan="yesterday").status_code == 400


def test_what_was_asked_can_be_looked_up(sandbox: Sandbox, graph: requests.Session) -> None:
    """The sandbox keeps the method, path, status and query of each request."""
    post(sandbox, graph, "DeviceInfo | take 7")
    last = sandbox.requests[-1]

    assert (last.method, last.path, last.status) == ("POST", PATH, 200)
    assert last.body_query == "DeviceInfo | take 7"
