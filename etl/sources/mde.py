"""Alerts of Defender for Endpoint's own API (`GET /api/alerts`), every page of a creation window.

The API documents neither an order nor a count; with `$top` it has been seen to send no next link;
and pages by `$skip` shift while they are read. So only a page that is not full is taken for whole,
and a full one is read again in two parts of its window of creation, which no update can move an
alert out of. Below one instant of creation `$skip` is all there is. How large a page may be is for
the service to say: behind the largest that was seen, one alert more is asked for.
What is kept beside an alert belongs to `etl.sources.entities`.
https://learn.microsoft.com/defender-endpoint/api/get-alerts
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from etl import ticks
from etl.access.client import Client
from etl.errors import ServiceFailed
from etl.sources.alerts import Page, instants, name, one
from etl.sources.entities import BUDGET, Entities
from etl.windows import Window

log = logging.getLogger(__name__)

PATH: Final = "api/alerts"
PERMISSION: Final = "Alert.Read.All"
CALLS_PER_MINUTE: Final = 100
CALLS_PER_HOUR: Final = 1500
"""The API's limits (learn.microsoft.com/defender-endpoint/api/get-alerts)."""

PAGE: Final = 1000
"""Alerts asked for at once. The API allows 10,000, which with their evidence may pass 100 MB; a
thousand stay within some ten, and a day of more costs a few requests."""

CAUTIOUS: Final = 50
"""Alerts asked for at once when the service fails at more."""

_WHAT: Final = "list alerts"


@dataclass(frozen=True, slots=True)
class _Listed:
    """A page, and whether nothing lies behind it."""

    page: Page
    whole: bool


@dataclass(slots=True)
class MdeAlerts:
    """The alerts of one tenant through Defender for Endpoint's own API; an AlertSource."""

    client: Client
    page: int = PAGE
    budget: int = BUDGET
    name: str = "mde"
    permission: str = PERMISSION
    created: str = "alertCreationTime"
    updated: str = "lastUpdateTime"
    _proven: int = 0
    """The largest page seen: a smaller one is not cut by the service."""

    def changed(self, window: Window, since: int | None = None) -> Iterator[Page]:
        """Yield every page of the alerts created in `window` and updated at or after `since`.

        Each alert has what was fetched for it under keys of our own. Raises an AccessError.
        """
        entities = Entities(self.client, self.budget)
        for page in self._within(window, since):
            yield entities.attached(page)
        if entities.left_out:
            left = f"{len(entities.left_out)} alerts were not asked for what the API keeps beside"
            told = f"{left} them: a pull asks about {self.budget} at most"
            yield Page([], None, "", 0, 0, 0, 0, remarks=(told,))

    def count(self, window: Window, since: int | None = None) -> int | None:  # noqa: ARG002
        """Return None: this API counts nothing."""
        return None

    def knows(self, identity: str) -> dict[str, Any] | None:
        """Return the alert of an id as the service has it now; None where it has none.

        Raises an AccessError.
        """
        return one(self.client, PATH, identity)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _within(self, window: Window, since: int | None) -> Iterator[Page]:
        listed = self._list(window, since)
        yield listed.page
        if listed.whole:
            return
        middle = _middle(window, listed.page)
        if middle is None:
            yield from self._behind(window, since, listed.page)
            return
        yield from self._within(Window(window.start, middle), since)
        yield from self._within(Window(middle, window.end), since)

    def _behind(self, window: Window, since: int | None, first: Page) -> Iterator[Page]:
        """Yield the pages behind the first by `$skip`, until one brings nothing."""
        seen, skipped = set(map(name, first.records)), first.rows
        while True:
            page = self._ask(listing(window, since, self.page, skipped)).page
            if not page.rows:
                break
            known = len(seen)
            seen.update(map(name, page.records))
            if len(seen) == known:
                raise ServiceFailed(_WHAT, "pages repeat each other")
            skipped += page.rows
            yield page
        if len(seen) < skipped:
            yield _doubt(f"alerts of {window} moved between pages; some may be missing")

    def _list(self, window: Window, since: int | None) -> _Listed:
        try:
            listed = self._ask(listing(window, since, self.page))
        except ServiceFailed:
            if self.page <= CAUTIOUS:
                raise
            log.warning("asking for %d alerts at once instead of %d", CAUTIOUS, self.page)
            self.page = CAUTIOUS
            listed = self._ask(listing(window, since, self.page))
        if not listed.whole or listed.page.rows < max(1, self._proven):
            return listed
        self._proven = listed.page.rows
        probe = self._ask(listing(window, since, 1, listed.page.rows)).page
        page = replace(
            listed.page,
            size=listed.page.size + probe.size,
            calls=listed.page.calls + probe.calls,
            throttled=listed.page.throttled + probe.throttled,
        )
        return _Listed(page, whole=not probe.rows)

    def _ask(self, url: str) -> _Listed:
        answer = self.client.get(url, _WHAT)
        records, link = answer.body.get("value"), answer.body.get("@odata.nextLink")
        if not isinstance(records, list):
            raise ServiceFailed(_WHAT, "the answer has no list of values")
        page = Page(
            records,
            None,
            answer.request_id,
            answer.size,
            answer.calls,
            answer.throttled,
            len(records),
            answer.doubts,
        )
        return _Listed(page, whole=not link and len(records) < self.page)


def listing(window: Window, since: int | None = None, top: int = PAGE, skip: int = 0) -> str:
    """Return the relative address of the alerts created in `window`, updated from `since` on."""
    start, end = ticks.to_text(window.start), ticks.to_text(window.end)
    condition = f"alertCreationTime ge {start} and alertCreationTime lt {end}"
    if since is not None:
        condition += f" and lastUpdateTime ge {ticks.to_text(since)}"
    options = {"$expand": "evidence", "$filter": condition, "$top": top}
    return f"{PATH}?{urlencode(options | ({'$skip': skip} if skip else {}))}"


def _middle(window: Window, page: Page) -> int | None:
    """Return where among its alerts to split a window; None at one tick of creation.

    Nor where the service does not keep to the window: splitting would never end. A crowd of one
    instant is set apart at once, so that few requests lead down to it.
    """
    created = sorted(set(instants(page.records, "alertCreationTime")) - {-1})
    if not created or created[0] < window.start or created[-1] >= window.end:
        return None
    middle = max(created[len(created) // 2], window.start + 1)
    return middle if middle < window.end else None


def _doubt(text: str) -> Page:
    """Return a page that brings nothing but a doubt."""
    return Page([], None, "", 0, 0, 0, 0, (text,))
