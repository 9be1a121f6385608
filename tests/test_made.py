"""A day whose alerts changed in part: what is correlated anew, and that nothing else shows it."""

import logging
import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

import polars as pl
import pytest

from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import hunting
from etl.contracts.ops import LEDGER
from etl.errors import LakeError
from etl.lake.lake import Lake
from etl.models import correlation
from etl.models.correlation import MADE
from etl.sandbox import Tenant
from etl.stages import marts

TOLERANCE_MS = 10
Change = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.fixture
def day(tenant: Tenant) -> date:
    """Return a day of the tenant with alerts of all kinds."""
    return tenant.days[1]


@pytest.fixture
def own(lake: Path, tenant: Tenant, tmp_path: Path) -> Lake:
    """Return a copy of the lake that a test may change."""
    return Lake(Path(shutil.copytree(lake, tmp_path / "lake")), tenant.id)


def publish(lake: Lake, day: date, caplog: pytest.LogCaptureFixture) -> tuple[int, int]:
    """Publish the marts of a day; return how many alerts were correlated, and of how many."""
    caplog.clear()
    with caplog.at_level(logging.INFO, "etl.stages.marts"):
        marts.publish(lake, day, TOLERANCE_MS)
    (told,) = re.findall(r"(\d+) of (\d+) alerts to be correlated", caplog.text)
    return int(told[0]), int(told[1])


def alter(lake: Lake, day: date, change: Change, contract: object = ALERTS) -> None:
    """Replace a partition of the lake by what a change makes of it."""
    assert contract in {ALERTS, ALERT_EVIDENCE, ALERT_DEVICES}
    lake.publish(contract, day, change(lake.read(contract, day)))  # type: ignore[arg-type]


def made(lake: Lake, day: date) -> dict[str, pl.DataFrame]:
    """Return the rows of the day's marts, in their order."""
    return {contract.table: lake.read(contract, day) for contract in MADE}


def whole(lake: Lake, day: date, tmp_path: Path) -> dict[str, pl.DataFrame]:
    """Return what the marts are where nothing is known of how they were made before."""
    copy = Lake(Path(shutil.copytree(lake.root, tmp_path / "whole")), lake.tenant)
    shutil.rmtree(copy.root / ".made")
    marts.publish(copy, day, TOLERANCE_MS)
    return made(copy, day)


def test_a_day_in_which_nothing_changed_is_left_alone(
    own: Lake, day: date, caplog: pytest.LogCaptureFixture
) -> None:
    """The second time no alert is correlated, and no file is written."""
    every = own.rows(ALERTS, day)
    assert publish(own, day, caplog)[1] == every
    before = {contract.table: own.path(contract, day).stat() for contract in MADE}

    assert publish(own, day, caplog) == (0, every)
    assert {c.table: own.path(c, day).stat() for c in MADE} == before


@pytest.mark.parametrize("seed", range(6))
def test_a_part_made_anew_is_as_if_all_were(
    own: Lake, day: date, seed: int, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Alerts change in state, in evidence, in device, or go: the marts are as of a whole run."""
    marts.publish(own, day, TOLERANCE_MS)
    random = Random(seed)
    ids = sorted(own.read(ALERTS, day)["AlertId"])
    named = own.read(ALERT_DEVICES, day).drop_nulls("DeviceId")
    alone = named.filter(pl.col("AlertId").n_unique().over("DeviceId") == 1)["AlertId"]
    gone = random.choice(sorted(set(named["AlertId"]) - set(alone)))
    resolved, poorer, moved = random.sample([one for one in ids if one != gone], 3)
    devices = sorted(own.read(ALERT_DEVICES, day)["DeviceId"].drop_nulls().unique())
    elsewhere = pl.lit(random.choice(devices))
    there = pl.col("AlertId") == moved
    alter(
        own, day,
        lambda rows: rows.filter(pl.col("AlertId") != gone).with_columns(
            Status=pl.when(AlertId=resolved).then(pl.lit("Resolved")).otherwise("Status")
        ),
    )  # fmt: skip
    alter(
        own, day,
        lambda rows: rows.filter(pl.col("AlertId") != gone)
        .filter((pl.col("AlertId") != poorer) | (pl.int_range(pl.len()).over("AlertId") > 0))
        .with_columns(
            DeviceId=pl.when(there & pl.col("DeviceId").is_not_null())
            .then(elsewhere)
            .otherwise("DeviceId")
        ),
        ALERT_EVIDENCE,
    )  # fmt: skip
    alter(own, day, lambda rows: rows.filter(pl.col("AlertId") != gone), ALERT_DEVICES)

    anew, every = publish(own, day, caplog)
    expected = whole(own, day, tmp_path)

    assert 0 < anew < every
    for table, rows in made(own, day).items():
        assert rows.equals(expected[table]), table
        assert gone not in set(rows["AlertId"]), table


def test_another_device_is_a_matter_of_all(
    own: Lake, day: date, caplog: pytest.LogCaptureFixture
) -> None:
    """What telemetry tells together is of the devices that are named: with another one, of all."""
    marts.publish(own, day, TOLERANCE_MS)
    device = own.read(ALERT_DEVICES, day).drop_nulls("DeviceId").head(1)
    added = device.with_columns(DeviceId=pl.lit("f" * 40))
    alter(own, day, lambda rows: pl.concat([rows, added]), ALERT_DEVICES)

    anew, every = publish(own, day, caplog)
    assert anew == every


def test_other_columns_make_all_anew(
    own: Lake, day: date, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marts of other columns than a version has now are no part of what it makes."""
    with monkeypatch.context() as other:
        other.setattr(correlation, "MADE", MADE[1:])
        marts.publish(own, day, TOLERANCE_MS)

    anew, every = publish(own, day, caplog)
    assert anew == every


def test_new_telemetry_is_asked_for_all(
    own: Lake, day: date, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a file of telemetry was replaced, every alert is correlated anew."""
    marts.publish(own, day, TOLERANCE_MS)
    table = hunting("DeviceProcessEvents")
    own.publish(table, day, own.read(table, day).tail(-1))

    anew, every = publish(own, day, caplog)
    assert anew == every


def test_an_incomplete_pull_is_told_of_all(
    own: Lake, day: date, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a window did not come, the reasons of all misses are judged anew."""
    marts.publish(own, day, TOLERANCE_MS)
    ledger = own.read(LEDGER, day, "hunting").with_columns(Status=pl.lit("partial"))
    own.publish(LEDGER, day, ledger, "hunting")

    anew, every = publish(own, day, caplog)
    assert anew == every
    assert "incomplete_pull" in set(made(own, day)["AlertCorrelation"]["Reason"])


def test_misses_are_judged_by_a_later_pull(
    own: Lake, day: date, caplog: pytest.LogCaptureFixture
) -> None:
    """A pull at another time, with the same rows, opens the misses that time may change."""
    marts.publish(own, day, TOLERANCE_MS)
    reasons = own.read(marts.ALERT_CORRELATION, day).drop_nulls("Reason")
    open_ = reasons.filter(~pl.col("Reason").is_in(["no_usable_key", "ambiguous"]))
    later = own.read(LEDGER, day, "hunting").with_columns(pl.col("StartedAt").dt.offset_by("1h"))
    own.publish(LEDGER, day, later, "hunting")

    anew, every = publish(own, day, caplog)
    assert open_["AlertId"].n_unique() <= anew < every


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"alerts": {"a": 1}}', '{"alerts": []}'])
def test_what_cannot_be_read_is_made_anew(
    own: Lake, day: date, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A file of another version, or none, costs a whole run and nothing else."""
    marts.publish(own, day, TOLERANCE_MS)
    (kept,) = (own.root / ".made").rglob(f"{day}.json")
    kept.write_text(text)

    anew, every = publish(own, day, caplog)
    assert anew == every


def test_a_mart_that_was_removed_is_made_anew(
    own: Lake, day: date, caplog: pytest.LogCaptureFixture
) -> None:
    """A published file that is no longer what was left makes all alerts anew."""
    marts.publish(own, day, TOLERANCE_MS)
    before = made(own, day)
    own.path(marts.PROCESS_TREE, day).unlink()

    anew, every = publish(own, day, caplog)
    assert anew == every
    assert all(rows.equals(before[table]) for table, rows in made(own, day).items())


def test_marts_that_could_not_be_published_are_made_anew(
    own: Lake, day: date, caplog: pytest.LogCaptureFixture
) -> None:
    """A run that ends between two marts leaves nothing that the next one would trust."""
    marts.publish(own, day, TOLERANCE_MS)
    alter(own, day, lambda rows: rows.with_columns(Status=pl.lit("Resolved")))
    blocked = own.path(marts.PROCESS_TREE, day)
    blocked.unlink()
    (blocked / "in the way").mkdir(parents=True)
    with pytest.raises(LakeError):
        marts.publish(own, day, TOLERANCE_MS)
    shutil.rmtree(blocked)

    anew, every = publish(own, day, caplog)
    assert anew == every
