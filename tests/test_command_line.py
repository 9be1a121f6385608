"""The command line as a person meets it: exit status, one clear line, no traceback."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from runs import bare, call, environment, generous

from etl.contracts.hunting import EVENT_TABLES
from etl.sandbox import Sandbox, Tenant

PROVENANCE = ("IngestedAt", "SourceRequestId")
CHECKOUT = Path(__file__).parent.parent


def run_first_day(
    tenant: Tenant, settings: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run one day of `tenant`."""
    return call(["run", "--from", str(tenant.days[0])], settings, folder)


def assert_one_line(done: subprocess.CompletedProcess[str], *, status: int, names: str) -> None:
    """Assert that a command failed with `status` and one line that has `names` in it."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("defender-etl:")]

    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(lines) == 1, done.stderr
    assert names in lines[0]


BROKEN = {
    "wrong secret": ({"AZURE_CLIENT_SECRET": "not-the-secret"}, "AADSTS7000215", 1),
    "unknown tenant": (
        {"AZURE_TENANT_ID": "00000000-1111-2222-3333-444444444444"}, "AADSTS90002", 1,
    ),
    "unknown application": (
        {"AZURE_CLIENT_ID": "00000000-1111-2222-3333-444444444444"}, "AADSTS700016", 1,
    ),
    "no sign-in host": ({"AZURE_AUTHORITY_HOST": "https://localhost:1"}, "localhost:1", 1),
    "no API host": ({"DEFENDER_GRAPH_URL": "https://localhost:1"}, "localhost:1", 1),
    "untrusted certificate": ({"REQUESTS_CA_BUNDLE": ""}, "certificate is not trusted", 1),
    "missing setting": ({"AZURE_CLIENT_ID": ""}, "AZURE_CLIENT_ID", 2),
    "plain http": ({"DEFENDER_GRAPH_URL": "http://localhost:1"}, "DEFENDER_GRAPH_URL", 2),
    "no number": ({"DEFENDER_HUNTING_MAX_ROWS": "many"}, "DEFENDER_HUNTING_MAX_ROWS", 2),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_run_says_what_is_wrong(
    case: str, tenant: Tenant, served: Sandbox, tmp_path: Path
) -> None:
    """What cannot work ends the run with one line that names it, without a traceback."""
    broken, names, status = BROKEN[case]
    done = run_first_day(tenant, environment(served, tmp_path / "lake", **broken), tmp_path)

    assert_one_line(done, status=status, names=names)
    assert "not-the-secret" not in done.stderr + done.stdout
    assert not list(tmp_path.rglob("mart/**/*.parquet"))


@pytest.mark.parametrize("case", BROKEN)
def test_the_doctor_finds_it_first(case: str, served: Sandbox, tmp_path: Path) -> None:
    """The doctor names the same trouble, and fails."""
    broken, names, _ = BROKEN[case]
    done = call(["doctor"], environment(served, tmp_path / "lake", **broken), tmp_path)
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]

    assert done.returncode in {1, 2}
    assert any(names in line for line in failed), done.stdout
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("lacking", "kept"),
    [
        ("SecurityAlert.Read.All", "ThreatHunting.Read.All"),
        ("ThreatHunting.Read.All", "SecurityAlert.Read.All"),
    ],
)
def test_a_missing_permission_is_named(
    lacking: str, kept: str, tenant: Tenant, tmp_path: Path
) -> None:
    """A run and the doctor both name the permission that the application lacks."""
    with Sandbox(tenant, faults=generous(roles=(kept,))) as sandbox:
        settings = environment(sandbox, tmp_path / "lake")
        done = run_first_day(tenant, settings, tmp_path)
        examined = call(["doctor"], settings, tmp_path)

    assert_one_line(done, status=1, names=lacking)
    assert examined.returncode == 1
    assert f"FAIL  {lacking}" in examined.stdout
    assert f"ok    {kept}" in examined.stdout


def test_a_lake_that_cannot_be_written_is_named(
    tenant: Tenant, served: Sandbox, tmp_path: Path
) -> None:
    """A lake under a file fails in a run and with the doctor, naming the folder."""
    (tmp_path / "file").write_text("in the way")
    settings = environment(served, tmp_path / "file" / "lake")
    done = run_first_day(tenant, settings, tmp_path)
    examined = call(["doctor"], settings, tmp_path)

    assert_one_line(done, status=1, names=str(tmp_path / "file"))
    assert examined.returncode == 1
    assert "FAIL  lake" in examined.stdout


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["run"], "--from"),
        (["run", "--from", "yesterday"], "yesterday"),
        (["run", "--from", "2026-02-30"], "2026-02-30"),
        (["run", "--from", "2026-03-02", "--to", "2026-03-01"], "--to"),
        (["run", "--from", "2999-01-01"], "2999-01-01"),
        (["run", "--from", "1999-01-01"], "1999-01-01"),
        (["sandbox", "--faults", "gremlins=3"], "gremlins"),
        (["dance"], "dance"),
    ],
)
def test_wrong_usage_ends_with_two(
    arguments: list[str], names: str, served: Sandbox, tmp_path: Path
) -> None:
    """Usage that cannot work is told apart from a failure, and the argument is named."""
    done = call(arguments, environment(served, tmp_path / "lake"), tmp_path)

    assert_one_line(done, status=2, names=names)


def test_the_doctor_is_content_with_a_tenant_that_works(served: Sandbox, tmp_path: Path) -> None:
    """Where everything is well, every line says so."""
    done = call(["doctor"], environment(served, tmp_path / "lake"), tmp_path)

    assert done.returncode == 0, done.stdout
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"ok"}
    assert served.environment["AZURE_CLIENT_SECRET"] not in done.stdout + done.stderr


def test_a_run_is_told_and_then_asked(tenant: Tenant, served: Sandbox, tmp_path: Path) -> None:
    """One day, run from the environment alone, can be asked in every format."""
    settings = environment(served, tmp_path / "lake")
    done = run_first_day(tenant, settings, tmp_path)
    query = "select MatchTier, count(*) as Rows from CorrelatedAlerts group by all order by all"
    answers = {
        form: call(["sql", query, "--format", form], settings, tmp_path)
        for form in ("table", "csv", "json")
    }

    assert done.returncode == 0, done.stderr
    assert "Hunting" in done.stdout
    assert str(tmp_path / "lake") in done.stdout
    assert all(answer.returncode == 0 for answer in answers.values())
    rows = json.loads(answers["json"].stdout)
    assert {row["MatchTier"] for row in rows} >= {"exact"}
    lines = [",".join(map(str, row.values())) for row in rows]
    assert answers["csv"].stdout.splitlines() == ["MatchTier,Rows", *lines]
    assert "MatchTier" in answers["table"].stdout


@pytest.mark.parametrize(
    ("query", "status"),
    [("select * from Nowhere", 2), ("selec 1", 2), ("create table X (A int)", 2)],
)
def test_a_query_at_fault_is_one_line(
    query: str, status: int, served: Sandbox, lake: Path, tmp_path: Path
) -> None:
    """A query that cannot be answered, or would write, is refused in one line."""
    done = call(["sql", query], environment(served, lake), tmp_path)

    assert_one_line(done, status=status, names="query")


def test_without_a_lake_there_is_nothing_to_ask(tmp_path: Path) -> None:
    """Asking before any run says what to run first."""
    done = call(["sql", "select 1"], {"DEFENDER_LAKE": str(tmp_path / "none")}, tmp_path)

    assert_one_line(done, status=1, names="demo")


def test_a_table_that_is_lacking_fails_the_run_but_publishes(
    tenant: Tenant, tmp_path: Path
) -> None:
    """A run that could not get everything says what, ends with 1, and keeps what it has."""
    with Sandbox(tenant, faults=generous(missing_tables=("DeviceLogonEvents",))) as sandbox:
        done = run_first_day(tenant, environment(sandbox, tmp_path / "lake"), tmp_path)

    assert_one_line(done, status=1, names="DeviceLogonEvents")
    assert list((tmp_path / "lake").rglob("mart/CorrelatedAlerts/**/*.parquet"))


@pytest.mark.parametrize("line", [1, 9])
def test_a_killed_run_leaves_whole_files_and_can_be_run_again(
    line: int, tenant: Tenant, served: Sandbox, lake: Path, tmp_path: Path
) -> None:
    """Killed at any point, a run leaves files that read, and the next one makes up for it."""
    settings = environment(served, tmp_path / "lake")
    day = str(tenant.days[0])
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "etl", "run", "--from", day],
        env=bare(settings) | {"PYTHONPATH": str(CHECKOUT)},
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as killed:
        assert killed.stderr is not None
        for _ in range(line):
            assert killed.stderr.readline()
        killed.kill()
    for path in (tmp_path / "lake").rglob("tenant=*/**/*.parquet"):
        pl.read_parquet(path, hive_partitioning=False)
    again = run_first_day(tenant, settings, tmp_path)

    assert again.returncode == 0, again.stderr
    for name in ("CorrelatedAlerts", "AlertCorrelation"):
        (whole,) = lake.glob(f"mart/{name}/*/day={day}/data.parquet")
        (mended,) = (tmp_path / "lake").glob(f"mart/{name}/*/day={day}/data.parquet")
        content = pl.read_parquet(whole, hive_partitioning=False).drop(PROVENANCE)
        assert pl.read_parquet(mended, hive_partitioning=False).drop(PROVENANCE).equals(content)


def test_hunting_without_any_table_is_a_missing_permission(tenant: Tenant, tmp_path: Path) -> None:
    """Where no table resolves, as without the permission, one line says so, and the doctor too."""
    with Sandbox(tenant, faults=generous(missing_tables=EVENT_TABLES)) as sandbox:
        settings = environment(sandbox, tmp_path / "lake")
        done = run_first_day(tenant, settings, tmp_path)
        examined = call(["doctor"], settings, tmp_path)

    assert_one_line(done, status=1, names="ThreatHunting.Read.All")
    assert "FAIL  ThreatHunting.Read.All" in examined.stdout
