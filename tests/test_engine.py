"""Engines: bounded in memory by a setting, spilling beyond it, and closed without a trace."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from assets.tenants import connected
from etl.lake import engine

ENVIRONMENT = {
    "AZURE_TENANT_ID": "11111111-2222-3333-4444-555555555555",
    "AZURE_CLIENT_ID": "66666666-7777-8888-9999-000000000000",
    "AZURE_CLIENT_SECRET": "s3cr3t~Value",
}
LEAST = 256


@pytest.fixture(autouse=True)
def _default() -> Iterator[None]:
    """Leave the process's limit as it is by default."""
    yield
    engine.limit(1024)


def limit(folder: Path) -> float:
    """Return what a new engine may hold, in megabytes."""
    with engine.connection(folder / "work") as duck:
        number, unit = duck.sql("select current_setting('memory_limit')").fetchall()[0][0].split()
    assert unit == "MiB"
    return float(number) * 1.048576


@pytest.mark.parametrize("megabytes", [LEAST, 512])
def test_the_setting_bounds_every_engine(megabytes: int, tmp_path: Path) -> None:
    """What the environment says holds of the engines that are opened afterwards."""
    environment = {
        **ENVIRONMENT,
        "DEFENDER_LAKE": str(tmp_path),
        "DEFENDER_MEMORY_MB": str(megabytes),
    }
    with connected(environment):
        assert limit(tmp_path) == pytest.approx(megabytes, abs=1)


def test_what_does_not_fit_is_spilled_and_gone_afterwards(tmp_path: Path) -> None:
    """A table of twice the memory is sorted on disk, beside the folder, which is left as it was."""
    engine.limit(LEAST)
    folder = tmp_path / "work"
    folder.mkdir()
    with engine.connection(folder) as duck:
        duck.execute(
            "create temp table Big as select md5(i::varchar) as Text from range(12_000_000) as r(i)"
        )
        spilled = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        rows = engine.write(duck, "from Big order by Text", folder / "sorted.parquet")

    assert rows == 12_000_000
    assert spilled > LEAST * 1_000_000 / 4
    assert [path.name for path in tmp_path.rglob("*")] == ["work", "sorted.parquet"]
