"""Batches: a table read and written in parts, so that memory does not grow with its size."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from etl.contracts.contract import Contract
from etl.lake import engine


def read(path: Path, size: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of a Parquet file, at most `size` at once; none where there is no file."""
    if path.exists():
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(size):
                yield pl.DataFrame(batch)


@dataclass(slots=True)
class Parts:
    """One table's rows, gathered in files of `folder` until they are put together as one."""

    contract: Contract
    folder: Path
    rows: int = 0
    _files: list[Path] = field(default_factory=list)

    def add(self, frame: pl.DataFrame) -> None:
        """Write some rows aside."""
        self.rows += frame.height
        self._files.append(self.folder / f"{self.contract.table}-{len(self._files)}.parquet")
        frame.write_parquet(self._files[-1], compression="zstd")

    def united(self, select: str, name: str = "united") -> Path:
        """Write all rows as one file by a select over `Parts`, and return it."""
        if not self._files:
            self.add(self.contract.empty())
        target = self.folder / f"{self.contract.table}-{name}.parquet"
        files = [engine.literal(path) for path in self._files]
        with engine.connection(self.folder) as duck:
            query = f"with Parts as ({_FILES}) {select}"
            engine.write(duck, query, target, {"files": files})
        return target


_FILES: Final = "from read_parquet($files, union_by_name = true, hive_partitioning = false)"
