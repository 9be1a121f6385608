"""The spool: answers of a pull that is under way, on disk as they come, so that it can be resumed.

One folder a tenant and day, beside the tables and no part of them. What is in it is what the
service answered to a key; what was asked, and what the answers mean, is for the stages to know.
A run that ends well leaves none; one that was killed finds its answers again.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from etl.errors import LakeError
from etl.lake.lake import REMEDY, Lake, sync

_FOLDER: Final = ".pulls"
_ABOUT: Final = b"about"
_TEXT: Final = "Record"

LONGEST_LIFE: Final = 6 * 3600
"""Seconds after which answers are too old to go on with: telemetry has moved on since."""


@dataclass(frozen=True, slots=True)
class Spool:
    """The answers of one day's pull."""

    folder: Path

    @classmethod
    def open(cls, lake: Lake, day: date) -> "Spool":
        """Return the spool of a day, as a killed run left it; a stale one is emptied first.

        Raises LakeError where it cannot be made.
        """
        spool = cls(lake.root / _FOLDER / lake.tenant / day.isoformat())
        with suppress(FileNotFoundError):
            if spool.stale():
                spool.close()
        with _writing(spool.folder):
            spool.folder.mkdir(parents=True, exist_ok=True)
        return spool

    def stale(self) -> bool:
        """Return whether its oldest answer is too old to go on with."""
        oldest = min((path.stat().st_mtime for path in self.folder.iterdir()), default=time.time())
        return time.time() - oldest > LONGEST_LIFE

    def get(self, key: str) -> tuple[list[str], dict[str, Any]] | None:
        """Return the texts kept under `key` and what was said of them, or None."""
        path = self._path(key)
        if not path.exists():
            return None
        with pq.ParquetFile(path) as file:
            about = json.loads((file.schema_arrow.metadata or {})[_ABOUT])
            return file.read().column(_TEXT).to_pylist(), about

    def put(self, key: str, texts: list[str], about: dict[str, Any]) -> None:
        """Keep texts under `key`, whole or not at all.

        Raises LakeError where they cannot be written.
        """
        schema = pa.schema([(_TEXT, pa.large_string())], {_ABOUT: json.dumps(about).encode()})
        table = pa.table({_TEXT: pa.array(texts, pa.large_string())}, schema=schema)
        with self._aside(key) as path:
            pq.write_table(table, path, compression="zstd")

    def frame(self, key: str) -> pl.DataFrame | None:
        """Return the frame kept under `key`, or None."""
        path = self._path(key)
        return pl.read_parquet(path, glob=False) if path.exists() else None

    def keep(self, key: str, frame: pl.DataFrame) -> None:
        """Keep a frame under `key`, whole or not at all.

        Raises LakeError where it cannot be written.
        """
        with self._aside(key) as path:
            frame.write_parquet(path, compression="zstd")

    def close(self) -> None:
        """Forget everything: the run that asked has published what it made of the answers."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            self.folder.parent.rmdir()

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.parquet"

    @contextmanager
    def _aside(self, key: str) -> Iterator[Path]:
        """Lend a path to write to, which then takes its place."""
        with _writing(self.folder):
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".part")
            os.close(handle)
            try:
                yield Path(name)
                sync(Path(name))
                Path(name).replace(self._path(key))
                sync(self.folder)
            finally:
                Path(name).unlink(missing_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LakeError(path, f"cannot be written ({error.strerror})", REMEDY) from error
