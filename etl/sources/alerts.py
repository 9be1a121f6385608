"""Alerts of Microsoft Graph (`GET /v1.0/security/alerts_v2`), every page of a window of creation.

Pages follow the last update, oldest first, each starting at the last instant of the one before,
inclusive: an alert that changes while it is read moves to the end instead of pushing others across
a page boundary, and the service's offset limit is never reached. A page that is one single instant
is read again in halves of the window of creation, for the same reason. The service's own next links
are followed only where neither is possible. What it counted at the beginning is held against what
came; where that is less, the order was not kept, and the links are followed from the start.
https://learn.microsoft.com/graph/api/security-list-alerts_v2
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import polars as pl

from etl import ticks
from etl.access.client import Client
from etl.errors import ServiceFailed
from etl.values import canonical, integer, text
from etl.windows import Window

PATH = "v1.0/security/alerts_v2"
PERMISSION = "SecurityAlert.Read.All"
PAGE = 500
"""Alerts asked for at once; the service allows 1000, but alerts with much evidence are large."""

_HEADERS = {"Prefer": "include-unknown-enum-members"}
_WHAT = "list alerts"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of alerts as the service sent it; `announced` is its count of them all, if made."""

    records: list[Any]
    link: str | None
    announced: int | None
    request_id: str
    size: int
    calls: int
    throttled: int
    rows: int

    def without_records(self) -> "Page":
        """Return the page without its alerts, for the ledger."""
        return replace(self, records=[])

    @property
    def whole(self) -> bool:
        """Whether the service holds nothing back behind this page."""
        return not self.link and self.rows < PAGE


def created_in(client: Client, window: Window) -> Iterator[Page]:
    """Yield the pages of all alerts created in `window`; pages may repeat an alert.

    Raises an AccessError.
    """
    announced, seen = 0, set[str]()
    for page in _by_update(client, window, listing(window)):
        announced = announced or page.announced or 0
        seen.update(map(name, page.records))
        yield page
    if len(seen) < announced:
        yield from _by_links(client, _ask(client, listing(window)))


def listing(window: Window, updated_from: int | None = None) -> str:
    """Return the relative address of the first page, or of the one that starts at an update."""
    start, end = ticks.to_text(window.start), ticks.to_text(window.end)
    condition = f"createdDateTime ge {start} and createdDateTime lt {end}"
    if updated_from is not None:
        condition += f" and lastUpdateDateTime ge {ticks.to_text(updated_from)}"
    options = {
        "$filter": condition,
        "$orderby": "lastUpdateDateTime asc",
        "$top": PAGE,
        "$count": "true",
    }
    return f"{PATH}?{urlencode(options)}"


def name(record: object) -> str:
    """Return what tells a record from another: its id, or itself where it has none."""
    found = record.get("id") if isinstance(record, dict) else None
    return found if isinstance(found, str) and found else canonical(record)


def _by_update(client: Client, window: Window, url: str) -> Iterator[Page]:
    lower = -1
    while True:
        page = _ask(client, url)
        yield page
        if page.whole:
            return
        updates = _instants(page.records, "lastUpdateDateTime")
        if len(set(updates)) > 1 and updates == sorted(updates) and updates[-1] > lower:
            lower = updates[-1]
            url = listing(window, lower)
            continue
        stuck = len(set(updates)) == 1 or not page.link
        halves = _halves(page, window) if stuck else ()
        for half in halves:
            yield from _by_update(client, half, listing(half))
        if not halves:
            yield from _by_links(client, page, given=True)
        return


def _by_links(client: Client, page: Page, *, given: bool = False) -> Iterator[Page]:
    """Yield the pages behind `page`, and itself unless it was `given` out already."""
    if not given:
        yield page
    followed = set[str]()
    while page.link:
        if page.link in followed:
            raise ServiceFailed(_WHAT, "the next links lead in a circle")
        followed.add(page.link)
        page = _ask(client, page.link)
        yield page
    if not page.whole:
        raise ServiceFailed(_WHAT, f"a page of {PAGE} alerts has no next link")


def _ask(client: Client, url: str) -> Page:
    answer = client.get(url, _WHAT, _HEADERS)
    records, link = answer.body.get("value"), answer.body.get("@odata.nextLink")
    if not isinstance(records, list):
        raise ServiceFailed(_WHAT, "the answer has no list of values")
    return Page(
        records,
        link if isinstance(link, str) and link else None,
        integer(answer.body.get("@odata.count")),
        answer.request_id,
        answer.size,
        answer.calls,
        answer.throttled,
        len(records),
    )


def _halves(page: Page, window: Window) -> tuple[Window, ...]:
    """Split a window between the page's alerts; not where they are of one instant of creation.

    Nor where the service does not keep to the window: splitting would never end.
    """
    created = sorted(set(_instants(page.records, "createdDateTime")))
    if len(created) < 2 or created[0] < window.start or created[-1] >= window.end:  # noqa: PLR2004
        return ()
    middle = created[len(created) // 2]
    return Window(window.start, middle), Window(middle, window.end)


def _instants(records: list[Any], field: str) -> list[int]:
    """Return an instant of each record in ticks, -1 where there is none."""
    texts = [text(r.get(field)) if isinstance(r, dict) else None for r in records]
    parsed = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return parsed.select(ticks.parse(pl.col("text")).fill_null(-1)).to_series().to_list()
