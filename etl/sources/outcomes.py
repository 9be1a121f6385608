"""Outcomes: how one request of a pull ended, and the rows that it brought."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from etl.windows import Window


@dataclass(frozen=True, slots=True)
class Pulled:
    """How one slice, or one count, ended, and the rows that it brought, as sent."""

    table: str
    window: Window
    part: str
    status: str
    detail: str | None
    expected: int | None
    texts: list[str]
    started: datetime
    ended: datetime
    request_id: str = ""
    size: int = 0
    calls: int = 0
    throttled: int = 0
    query: str = ""

    rows: int = 0

    @classmethod
    def stopped(cls, window: Window, problem: str) -> "Pulled":
        """Return the outcome of a pull that could not go on."""
        now = datetime.now(UTC)
        return cls("*", window, "the rest", "failed", problem, None, [], now, now)

    def without_rows(self) -> "Pulled":
        """Return the outcome alone, for the ledger; the rows may be large."""
        return replace(self, texts=[])

    @property
    def query_hash(self) -> str | None:
        """The query's name in the ledger; None where none ran."""
        return hash_of(self.query) if self.query else None


Take = Callable[[Pulled], None]
"""Takes an outcome; called from several threads."""


def hash_of(query: str) -> str:
    """Return the name of a query in the ledger: the first 32 digits of its SHA-256."""
    return hashlib.sha256(query.encode()).hexdigest()[:32]
