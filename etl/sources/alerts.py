"""What every source of alerts offers: all alerts of a window of creation, page by page.

One module a source implements it (`graph`, `mde`); the stages know this interface only. An alert's
creation never changes, so a window of creation is the same set of alerts however often and in
whatever order it is asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol
from urllib.parse import quote

import polars as pl
import requests

from etl import ticks
from etl.access.client import Client
from etl.errors import RequestRefused
from etl.values import canonical, text
from etl.windows import Window


@dataclass(frozen=True, slots=True)
class Page:
    """One page of alerts as the service sent it; `announced` is its count of them all, if made."""

    records: list[Any]
    announced: int | None
    request_id: str
    size: int
    calls: int
    throttled: int
    rows: int
    doubts: tuple[str, ...] = ()
    """What the service says is missing from the page, or what it kept back, one line each."""

    remarks: tuple[str, ...] = ()
    """What was not to be had beside the alerts, which are all there, one line each."""

    def without_records(self) -> "Page":
        """Return the page without its alerts, for the ledger."""
        return replace(self, records=[])


class AlertSource(Protocol):
    """One way in for alerts."""

    @property
    def name(self) -> str:
        """Return the word that AlertSource, Source and the ledger have for it."""

    @property
    def page(self) -> int:
        """Return how many alerts one request brings at most."""

    @property
    def permission(self) -> str:
        """Return the application permission that listing needs."""

    @property
    def created(self) -> str:
        """Return the field that says when an alert was created."""

    @property
    def updated(self) -> str:
        """Return the field that says when an alert was last updated."""

    def changed(self, window: Window, since: int | None) -> Iterator[Page]:
        """Yield every page of the alerts created in `window` and updated at or after `since`.

        Instants are ticks; without `since`, all of them. Pages may repeat an alert.
        Raises an AccessError.
        """

    def count(self, window: Window, since: int | None = None) -> int | None:
        """Return how many alerts of `changed` the service counts; None if it does not.

        Raises an AccessError.
        """

    def knows(self, identity: str) -> dict[str, Any] | None:
        """Return the alert of an id as the service has it now; None where it has none.

        Raises an AccessError.
        """

    def close(self) -> None:
        """Close the connections."""


_NO_SEGMENT: Final = ("", ".", "..")
"""Ids that as the end of an address lead to the list or above it, however they are encoded."""


def one(client: Client, path: str, identity: str) -> dict[str, Any] | None:
    """Return the alert of an id under `path`; None where there is none.

    Raises an AccessError.
    """
    if identity in _NO_SEGMENT:
        return None
    try:
        found = client.get(f"{path}/{quote(identity, safe='')}", "get an alert")
    except RequestRefused as error:
        if error.status == requests.codes.not_found:
            return None
        raise
    alert: dict[str, Any] = found.body
    return alert


def name(record: object) -> str:
    """Return what tells a record from another: its id, or itself where it has none."""
    found = record.get("id") if isinstance(record, dict) else None
    return found if isinstance(found, str) and found else canonical(record)


def instants(records: list[Any], field: str) -> list[int]:
    """Return an instant of each record in ticks, -1 where there is none."""
    texts = [text(r.get(field)) if isinstance(r, dict) else None for r in records]
    parsed = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return parsed.select(ticks.parse(pl.col("text")).fill_null(-1)).to_series().to_list()
