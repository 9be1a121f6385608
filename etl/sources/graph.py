"""Alerts of Microsoft Graph (`GET /v1.0/security/alerts_v2`), every page of a window of creation.

Pages follow the last update, oldest first, each starting at the last instant of the one before,
inclusive: an alert that changes while it is read moves to the end instead of pushing others across
a page boundary, and the service's offset limit is never reached. Where that leads nowhere (one
instant fills a page, or the order is not kept) the window of creation is read in halves, which no
update can move an alert out of. The service's next links are followed only where all of a page was
created in one instant. What it counted at the beginning is held against what came.
https://learn.microsoft.com/graph/api/security-list-alerts_v2
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from etl import ticks
from etl.access.client import Client
from etl.errors import ServiceFailed
from etl.sources.alerts import Page, instants, name, one
from etl.values import integer
from etl.windows import Window

log = logging.getLogger(__name__)

PATH: Final = "v1.0/security/alerts_v2"
PERMISSION: Final = "SecurityAlert.Read.All"
PAGE: Final = 1000
"""Alerts asked for at once, the most that the service gives."""

CAUTIOUS: Final = 50
"""Alerts asked for at once when the service fails at more: with much evidence they are large."""

_HEADERS: Final = {"Prefer": "include-unknown-enum-members"}
_WHAT: Final = "list alerts"


@dataclass(frozen=True, slots=True)
class _Listed:
    """A page, the link to the next one, and whether anything lies behind it."""

    page: Page
    link: str | None
    whole: bool


@dataclass(slots=True)
class GraphAlerts:
    """The alerts of one tenant through Graph; an AlertSource."""

    client: Client
    page: int = PAGE
    name: str = "graph"
    permission: str = PERMISSION
    created: str = "createdDateTime"
    updated: str = "lastUpdateDateTime"

    def changed(self, window: Window, since: int | None = None) -> Iterator[Page]:
        """Yield every page of the alerts created in `window` and updated at or after `since`.

        Raises an AccessError; ServiceFailed where next links lead in a circle.
        """
        announced, seen = 0, set[str]()
        for page in self._by_update(window, since):
            announced = announced or page.announced or 0
            seen.update(map(name, page.records))
            yield page
        if len(seen) < announced:
            for page in self._by_creation(window, since):
                seen.update(map(name, page.records))
                yield page
        if len(seen) < announced:
            yield _doubt(f"{announced} alerts announced, {len(seen)} came")

    def count(self, window: Window, since: int | None = None) -> int | None:
        """Return how many alerts of `changed` there are; None if the service won't say.

        Raises an AccessError.
        """
        answer = self.client.get(listing(window, since, top=1), _WHAT, _HEADERS)
        return integer(answer.body.get("@odata.count"))

    def knows(self, identity: str) -> dict[str, Any] | None:
        """Return the alert of an id as the service has it now; None where it has none.

        Raises an AccessError.
        """
        return one(self.client, PATH, identity)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _by_update(self, window: Window, since: int | None) -> Iterator[Page]:
        lower = since
        while True:
            listed = self._list(window, lower)
            yield listed.page
            if listed.whole:
                return
            updates = instants(listed.page.records, "lastUpdateDateTime")
            ahead = updates[-1] > (-1 if lower is None else lower) if updates else False
            if ahead and len(set(updates)) > 1 and updates == sorted(updates):
                lower = updates[-1]
                continue
            yield from self._halves(window, lower, listed)
            return

    def _by_creation(self, window: Window, since: int | None) -> Iterator[Page]:
        listed = self._list(window, since)
        yield listed.page
        if not listed.whole:
            yield from self._halves(window, since, listed)

    def _halves(self, window: Window, since: int | None, listed: _Listed) -> Iterator[Page]:
        """Yield what a window holds in halves of it; in the order of links below one instant."""
        middle = _middle(window, listed.page.records)
        if middle is None:
            yield from self._by_links(listed)
            return
        yield from self._by_creation(Window(window.start, middle), since)
        yield from self._by_creation(Window(middle, window.end), since)

    def _by_links(self, listed: _Listed) -> Iterator[Page]:
        """Yield the pages behind one."""
        followed = set[str]()
        while listed.link:
            if listed.link in followed:
                raise ServiceFailed(_WHAT, "the next links lead in a circle")
            followed.add(listed.link)
            listed = self._ask(listed.link)
            yield listed.page
        if not listed.whole:
            raise ServiceFailed(_WHAT, f"a page of {self.page} alerts has no next link")

    def _list(self, window: Window, since: int | None) -> _Listed:
        try:
            return self._ask(listing(window, since, self.page))
        except ServiceFailed:
            if self.page <= CAUTIOUS:
                raise
            log.warning("asking for %d alerts at once instead of %d", CAUTIOUS, self.page)
            self.page = CAUTIOUS
            return self._ask(listing(window, since, self.page))

    def _ask(self, url: str) -> _Listed:
        answer = self.client.get(url, _WHAT, _HEADERS)
        records, link = answer.body.get("value"), answer.body.get("@odata.nextLink")
        if not isinstance(records, list):
            raise ServiceFailed(_WHAT, "the answer has no list of values")
        page = Page(
            records,
            integer(answer.body.get("@odata.count")),
            answer.request_id,
            answer.size,
            answer.calls,
            answer.throttled,
            len(records),
            answer.doubts,
        )
        further = link if isinstance(link, str) and link else None
        return _Listed(page, further, not further and len(records) < self.page)


def listing(window: Window, since: int | None = None, top: int = PAGE) -> str:
    """Return the relative address of the alerts created in `window`, updated from `since` on."""
    start, end = ticks.to_text(window.start), ticks.to_text(window.end)
    condition = f"createdDateTime ge {start} and createdDateTime lt {end}"
    if since is not None:
        condition += f" and lastUpdateDateTime ge {ticks.to_text(since)}"
    options = {
        "$filter": condition,
        "$orderby": "lastUpdateDateTime asc",
        "$top": top,
        "$count": "true",
    }
    return f"{PATH}?{urlencode(options)}"


def _middle(window: Window, records: list[Any]) -> int | None:
    """Return where to split a window so that the alerts given fall apart; None where nowhere.

    Nor where the service does not keep to the window: splitting would never end.
    """
    created = sorted(set(instants(records, "createdDateTime")))
    if not created or created[0] < window.start or created[-1] >= window.end:
        return None
    if len(created) > 1:
        return created[len(created) // 2]
    middle = created[0] if created[0] > window.start else created[0] + 1
    return middle if middle < window.end else None


def _doubt(text: str) -> Page:
    """Return a page that brings nothing but a doubt."""
    return Page([], None, "", 0, 0, 0, 0, (text,))
