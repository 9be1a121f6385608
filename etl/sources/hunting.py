"""Advanced hunting: one query, its rows; by Microsoft Graph, else by Defender for Endpoint's API.

Graph (`POST /v1.0/security/runHuntingQuery`) is the way. Where the application may not use it but
was given the older permission, the older API (`POST /api/advancedqueries/run`) answers until it
ends; it knows the device tables only. Either service cuts a result at its row limit without saying
so; noticing that is the business of `etl.sources.slices`.
https://learn.microsoft.com/graph/api/security-security-runhuntingquery
"""

import json
import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from etl.access.client import Client
from etl.errors import Forbidden, RequestRefused
from etl.sources import rows
from etl.sources.kql import Literal
from etl.values import Record

log = logging.getLogger(__name__)

PATH: Final = "v1.0/security/runHuntingQuery"
PERMISSION: Final = "ThreatHunting.Read.All"

LEGACY_PATH: Final = "api/advancedqueries/run"
LEGACY_PERMISSION: Final = "AdvancedQuery.Read.All"
LEGACY_CALLS_PER_MINUTE: Final = 45
LEGACY_CALLS_PER_HOUR: Final = 1500
"""The older API's own limits per tenant, which do not grow with it."""

LEGACY_END: Final = "2027-02-01"
"""The day from which the older API returns no data."""

_ENDING: Final = (
    f"hunting goes through Defender for Endpoint's own hunting API, which ends on {LEGACY_END}; "
    f"grant {PERMISSION} on Microsoft Graph in place of {LEGACY_PERMISSION}"
)
_GONE: Final = (404, 410)


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of one query, each as the JSON text that the service sent."""

    texts: list[str]
    request_id: str
    size: int
    calls: int
    throttled: int
    started: datetime
    ended: datetime
    doubts: tuple[str, ...] = ()
    """What the service says is missing from the rows, one line each."""

    @property
    def records(self) -> list[Record]:
        """The rows as objects; of a large answer they take ten times the memory."""
        return [json.loads(text) for text in self.texts]


class Runs(Protocol):
    """Whatever runs hunting queries."""

    def run(self, query: Literal, what: str) -> Result:
        """Run `query`; `what` names it in errors.

        Raises an AccessError; ResultTooLarge and TableUnknown among them.
        """


@dataclass(slots=True)
class Hunting:
    """Runs queries; once Graph has refused, the older API does, if there is a client for it."""

    client: Client
    legacy: Client | None = None
    _refused: Forbidden | None = field(default=None, init=False, repr=False)

    @property
    def ending(self) -> str | None:
        """What to do about the API in use before it ends; None where that is Graph."""
        return _ENDING if self._refused else None

    def run(self, query: Literal, what: str) -> Result:
        """Run `query`; `what` names it in errors.

        Raises an AccessError; ResultTooLarge and TableUnknown among them.
        """
        if self._refused is not None and self.legacy is not None:
            return self._run_legacy(self.legacy, self._refused, query, what)
        try:
            return _run(self.client, PATH, query, what)
        except Forbidden as refused:
            if self.legacy is None:
                raise
            log.warning("%s", _ENDING)
            result = self._run_legacy(self.legacy, refused, query, what)
            return replace(result, calls=result.calls + 1)

    def close(self) -> None:
        """Close the connections of either way."""
        self.client.close()
        if self.legacy is not None:
            self.legacy.close()

    def _run_legacy(self, client: Client, refused: Forbidden, query: Literal, what: str) -> Result:
        """Ask the older API; where that is closed as well, Graph's refusal is what to tell."""
        self._refused = refused
        try:
            return _run(client, LEGACY_PATH, query, what)
        except Forbidden as error:
            self._refused = None
            raise refused from error
        except RequestRefused as error:
            if error.status not in _GONE:
                raise
            self._refused = None
            raise refused from error


def _run(client: Client, path: str, query: Literal, what: str) -> Result:
    started = datetime.now(UTC)
    answer = client.post(path, what, {"Query": query.kql}, read=rows.read)
    return Result(
        answer.body, answer.request_id, answer.size, answer.calls, answer.throttled,
        started, datetime.now(UTC), answer.doubts,
    )  # fmt: skip
