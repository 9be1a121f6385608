"""Mishaps: what goes wrong with listings of alerts, and only on request.

Answers in part or cut off, links that lead nowhere, counts that are off, and pages that shift
while they are read. How a listing comes about in good health belongs to `graph`.
"""

import json
from collections.abc import Sequence

from starlette.responses import Response

from etl.sandbox import moments, odata
from etl.sandbox.alerts import Alert
from etl.sandbox.faults import Faults
from etl.sandbox.gate import Countdown, GraphError

WARNING = '199 - "Microsoft/MDATP/504/10000"'
"""Vendor, provider, status and milliseconds of a provider that did not answer in time."""

_UPDATED = "lastUpdateDateTime"
_STEP = moments.SECOND // 300
"""The least time between two updates as the service rounds them."""


class Mishaps:
    """Counts listings, and spoils those that faults say."""

    def __init__(self, faults: Faults) -> None:
        self.count_off = faults.count_off
        self.unordered = faults.unordered > 0
        self._shift = faults.shift
        self._partial = Countdown(faults.partial)
        self._warned = Countdown(faults.warnings)
        self._cut = Countdown(faults.cut)
        self._dead = Countdown(faults.dead_links)
        self._died = 0

    def follow(self) -> None:
        """Follow a link to a further page.

        Raises GraphError where the link is dead: 410 and 400 in turn.
        """
        if not self._dead.hit():
            return
        self._died += 1
        if self._died % 2:
            raise GraphError(410, "Gone", "The skip token has expired; list again from the start.")
        raise odata.refused("The skip token is not valid.")

    def answer(self, body: dict[str, object], records: list[Alert]) -> Response:
        """Return the answer to a listing: `body` and its records, or less."""
        partial, warned = self._partial.hit(), self._warned.hit()
        shown = records[: len(records) // 2] if partial else records
        content = json.dumps(
            {**body, "value": shown}, ensure_ascii=False, separators=(",", ":")
        ).encode()
        if self._cut.hit():
            content = content[: len(content) // 2]
        headers = {"Warning": WARNING} if partial or warned else None
        return Response(content, 206 if partial else 200, headers, "application/json")

    def shift(self, alerts: Sequence[Alert], given: Sequence[Alert], left: Sequence[Alert]) -> None:
        """Update, in place, the first alert not yet given, and the first of those just given."""
        if not left or not self._shift:
            return
        latest = max(odata.ticks(alert, _UPDATED) or 0 for alert in alerts)
        moved = [left[0], *(given[:1] if self._shift > 1 else ())]
        for number, alert in enumerate(moved, 1):
            alert[_UPDATED] = moments.text(latest + number * _STEP + moments.UNIX_EPOCH)
