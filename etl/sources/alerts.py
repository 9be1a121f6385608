"""Alerts of Microsoft Graph (`GET /v1.0/security/alerts_v2`), every page of a window of creation.

Pages follow the last update, oldest first, each starting at the last instant of the one before,
inclusive: an alert that changes while it is read moves to the end instead of pushing others across
a page boundary, and the service's offset limit is never reached. Its own next links are followed
only where a page is one single instant, or where it does not honour the order.
https://learn.microsoft.com/graph/api/security-list-alerts_v2
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import polars as pl

from etl import ticks
from etl.access.client import Client
from etl.errors import ServiceFailed
from etl.windows import Window

PATH = "v1.0/security/alerts_v2"
PERMISSION = "SecurityAlert.Read.All"
PAGE = 500
"""Alerts asked for at once; the service allows 1000, but alerts with much evidence are large."""

_HEADERS = {"Prefer": "include-unknown-enum-members"}
_WHAT = "list alerts"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of alerts as the service sent it."""

    records: list[Any]
    request_id: str
    size: int
    calls: int
    throttled: int


def created_in(client: Client, window: Window) -> Iterator[Page]:
    """Yield the pages of all alerts created in `window`; neighbours may repeat an alert.

    Raises an AccessError.
    """
    lower, followed = -1, set[str]()
    url: str | None = listing(window)
    while url:
        answer = client.get(url, _WHAT, _HEADERS)
        records = answer.body.get("value")
        if not isinstance(records, list):
            raise ServiceFailed(_WHAT, "the answer has no list of values")
        yield Page(records, answer.request_id, answer.size, answer.calls, answer.throttled)
        link = answer.body.get("@odata.nextLink")
        if not link and len(records) < PAGE:
            return
        updates = _updates(records)
        if updates and updates == sorted(updates) and updates[-1] > lower:
            lower = updates[-1]
            url = listing(window, lower)
        elif isinstance(link, str) and link and link not in followed:
            followed.add(link)
            url = link
        else:
            yield from _halved(client, window)
            return


def listing(window: Window, updated_from: int | None = None) -> str:
    """Return the relative address of the first page, or of the one that starts at an update."""
    start, end = ticks.to_text(window.start), ticks.to_text(window.end)
    condition = f"createdDateTime ge {start} and createdDateTime lt {end}"
    if updated_from is not None:
        condition += f" and lastUpdateDateTime ge {ticks.to_text(updated_from)}"
    options = {"$filter": condition, "$orderby": "lastUpdateDateTime asc", "$top": PAGE}
    return f"{PATH}?{urlencode(options)}"


def _halved(client: Client, window: Window) -> Iterator[Page]:
    """Ask again in halves, where one instant holds more alerts than the service pages through."""
    halves = window.halves()
    if halves is None:
        raise ServiceFailed(_WHAT, f"more than {PAGE} alerts were created in one instant")
    for half in halves:
        yield from created_in(client, half)


def _updates(records: list[Any]) -> list[int]:
    texts = [str(r.get("lastUpdateDateTime")) for r in records if isinstance(r, dict)]
    parsed = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return parsed.select(ticks.parse(pl.col("text")).fill_null(-1)).to_series().to_list()
