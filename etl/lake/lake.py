"""Partitions of the lake: their paths, reading them, and replacing them whole or not at all.

A partition is one file per producer, written aside, synced and renamed over the old one, so that a
reader sees the old file or the new one. A partition whose content did not change is left alone.
"""

import fcntl
import filecmp
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from etl.contracts.contract import PROVENANCE, Contract
from etl.errors import LakeError
from etl.lake import engine

log = logging.getLogger(__name__)

REMEDY = "set DEFENDER_LAKE to a folder that this user can write to, on a disk with room"
_STAGING = ".staging"
_LOCKS = ".locks"
_ABANDONED = 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class Lake:
    """One tenant's part of the lake under `root`."""

    root: Path
    tenant: str

    def path(self, contract: Contract, day: date, part: str = "data") -> Path:
        """Return the file of one partition; `part` names the producer where there are several."""
        folder = self.root / contract.layer / contract.table
        if contract.layer == "hunting":
            folder /= "source=hunting"
        return folder / f"tenant={self.tenant}" / f"day={day.isoformat()}" / f"{part}.parquet"

    def days(self, contract: Contract) -> list[date]:
        """Return the days of a table that were ever published, oldest first."""
        folder = self.path(contract, date.min).parent.parent
        if not folder.exists():
            return []
        names = (path.name.removeprefix("day=") for path in folder.glob("day=*"))
        return sorted(date.fromisoformat(name) for name in names)

    def files(self, contract: Contract, days: Iterable[date]) -> list[Path]:
        """Return the files of some days of a table, but for days that were never published."""
        return [path for path in (self.path(contract, day) for day in days) if path.exists()]

    def read(self, contract: Contract, day: date, part: str = "data") -> pl.DataFrame:
        """Return a partition's rows; none where it was never published."""
        path = self.path(contract, day, part)
        if not path.exists():
            return contract.empty()
        return pl.read_parquet(path, hive_partitioning=False, glob=False)

    def rows(self, contract: Contract, day: date, part: str = "data") -> int:
        """Return how many rows a partition has, without reading them."""
        path = self.path(contract, day, part)
        return int(pq.read_metadata(path).num_rows) if path.exists() else 0

    def publish(
        self, contract: Contract, day: date, frame: pl.DataFrame, part: str = "data"
    ) -> bool:
        """Replace a partition by `frame`; return whether its content changed.

        Raises LakeError where the lake cannot be written.
        """
        with self.staging() as folder:
            staged = folder / "data.parquet"
            frame.write_parquet(
                staged,
                compression="zstd",
                row_group_size=engine.ROW_GROUP,
                data_page_size=engine.PAGE,
            )
            return self.publish_file(contract, day, staged, part)

    def publish_file(self, contract: Contract, day: date, staged: Path, part: str = "data") -> bool:
        """Replace a partition by a file of `staging`; return whether its content changed.

        Raises LakeError where the lake cannot be written.
        """
        target = self.path(contract, day, part)
        try:
            if target.exists() and self._same(target, staged):
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            sync(staged)
            staged.replace(target)
            sync(target.parent)
        except OSError as error:
            raise LakeError(target, f"cannot be written ({error.strerror})", REMEDY) from error
        return True

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Lend a folder beside the tables, on the same file system, gone afterwards.

        Raises LakeError where it cannot be made.
        """
        try:
            parent = self.root / _STAGING
            parent.mkdir(parents=True, exist_ok=True)
            _sweep(parent)
            folder = Path(tempfile.mkdtemp(dir=parent))
        except OSError as error:
            raise LakeError(self.root, f"cannot be written ({error.strerror})", REMEDY) from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def alone(self, work: str, *, wait: bool = True) -> Iterator[bool]:
        """Keep other processes from the same `work` on this tenant, waiting for one that has it.

        Without `wait` it says at once whether nobody has it. The kernel lets go when a process
        dies, however it dies: a killed run blocks nobody.
        Raises LakeError where the lake cannot be written.
        """
        path = self.root / _LOCKS / f"{self.tenant}.{work}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LakeError(self.root, f"cannot be written ({error.strerror})", REMEDY) from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not wait:
                    yield False
                    return
                log.info("waiting for another run that works on %s", work)
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield True
        finally:
            os.close(handle)

    def _same(self, old: Path, new: Path) -> bool:
        if filecmp.cmp(old, new, shallow=False):
            return True
        with self.staging() as folder, engine.connection(folder) as duck:
            try:
                return _digest(duck, old) == _digest(duck, new)
            except engine.Unreadable:
                return False


def _digest(duck: "engine.Engine", path: Path) -> tuple[object, ...]:
    """Return what two files share that hold the same rows, whatever their provenance."""
    columns = [row[0] for row in engine.describe(duck, path)]
    kept = [name for name in columns if name not in PROVENANCE]
    listed = ", ".join('"' + name.replace('"', '""') + '"' for name in kept)
    query = (
        f"select count(*), sum(hash({listed})::hugeint) "  # noqa: S608
        "from read_parquet($path, hive_partitioning = false)"
    )
    rows = duck.execute(query, {"path": engine.literal(path)}).fetchone()
    return (tuple(kept), *(rows or ()))


def _sweep(parent: Path) -> None:
    """Remove what killed runs left behind; a run that works takes less than a day for a step."""
    for folder in parent.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > _ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)


def sync(path: Path) -> None:
    """Have a file or folder on disk before what comes next."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
