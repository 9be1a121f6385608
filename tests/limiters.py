"""Limiters for tests: each of a quota of its own, unless one is named."""

import os
import uuid
from pathlib import Path
from typing import Any

from etl.access.limits import Limiter
from etl.access.record import Record


def record(quota: str | None = None) -> Record:
    """Return the record of a quota that no other test knows."""
    return Record.of(Path(os.environ["DEFENDER_STATE"]), quota or uuid.uuid4().hex)


def limiter(calls: int = 100_000, *more: int, **options: Any) -> Limiter:  # noqa: ANN401
    """Return a limiter with a record of its own; by default one that nobody waits for."""
    return Limiter(record(), calls, *more, **options)
