"""Hunting: the route that runs a query, with the service's limits on time, rows, size and calls."""

import json
from collections.abc import Callable
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from etl.sandbox import literals, moments
from etl.sandbox.engine import Engine, Scope
from etl.sandbox.faults import Faults
from etl.sandbox.gate import Countdown, Gate, Quota
from etl.sandbox.odata import refused
from etl.sandbox.temporal import QueryRefused

PATHS = (
    "/v1.0/security/runHuntingQuery",
    "/v1.0/security/microsoft.graph.security.runHuntingQuery",  # as Microsoft's SDKs write it
)
ROLE = "ThreatHunting.Read.All"
_CONTEXT = "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.security.huntingQueryResults"
_RETENTION = 30 * moments.DAY
_TOO_LARGE = (
    "Query execution has exceeded the allowed result size. Optimize your query by limiting the "
    "number of results and try again."
)
Clock = Callable[[], datetime]


class HuntingRoute:
    """Answers hunting queries."""

    def __init__(self, engine: Engine, gate: Gate, faults: Faults, clock: Clock) -> None:
        self._engine = engine
        self._gate = gate
        self._faults = faults
        self._clock = clock
        self._quota = Quota(faults.calls_per_minute)
        self._throttle = Countdown(faults.throttle_first)

    def routes(self) -> list[Route]:
        """Return the route."""
        return [Route(path, self._gate.guard(ROLE, self._run), methods=["POST"]) for path in PATHS]

    async def ask(
        self, query: str, span: object = None, tables: frozenset[str] | None = None
    ) -> tuple[list[dict[str, str]], bytes]:
        """Run a query within the limits of the tenant, and return its schema and rows.

        Where it may see some tables only, it is another API that asks, which notes no types.
        """
        self._count_call()
        now = moments.unix_ticks(self._clock())
        start, end = timespan(span, now)
        scope = Scope(
            max(start, now - _RETENTION), end, now, self._faults.rows, tables, notes=tables is None
        )
        try:
            schema, rows = await run_in_threadpool(self._engine.ask, query, scope)
        except QueryRefused as refusal:
            raise refused(str(refusal)) from None
        if len(rows) > self._faults.result_bytes:
            raise refused(_TOO_LARGE)
        return schema, rows

    async def _run(self, request: Request) -> Response:
        body = _fields(await request.body())
        query = body.get("query")
        request.state.query = query
        if not isinstance(query, str) or not query.strip():
            raise refused("The request body must contain the parameter 'Query'.")
        schema, rows = await self.ask(query, body.get("timespan"))
        head = json.dumps({"@odata.context": _CONTEXT, "schema": schema})
        content = head[:-1].encode() + b',"results":' + rows + b"}"
        return Response(content, media_type="application/json")

    def _count_call(self) -> None:
        seconds = 1.0 if self._throttle.hit() else self._quota.wait()
        if seconds:
            raise self._gate.throttled(
                seconds,
                "You have exceeded processing resources allocated to this tenant. "
                f"You can run queries again in {int(seconds + 1)} seconds.",
            )


def _fields(body: bytes) -> dict[str, object]:
    """Read a request body; its keys may be in any case."""
    try:
        fields = json.loads(body)
    except ValueError:
        raise refused("The request body is not valid JSON.") from None
    if not isinstance(fields, dict):
        raise refused("The request body must be a JSON object.")
    return {str(name).lower(): value for name, value in fields.items()}


def timespan(text: object, now: int) -> tuple[int, int]:
    """Read an ISO 8601 timespan as two instants, in ticks since 1970.

    Takes `start/end`, `duration/end`, `start/duration`, a duration back from now or a start.
    """
    if text is None or text == "":
        return now - _RETENTION, now
    first, slash, second = str(text).partition("/")
    try:
        if not slash:
            return (now - literals.duration(first) if _is_duration(first)
                    else literals.instant(first)), now  # fmt: skip
        if _is_duration(first):
            end = literals.instant(second)
            return end - literals.duration(first), end
        start = literals.instant(first)
        later = start + literals.duration(second) if _is_duration(second) else None
        return start, literals.instant(second) if later is None else later
    except ValueError:
        raise refused(f"The timespan '{text}' is not a valid ISO 8601 value.") from None


def _is_duration(text: str) -> bool:
    return text.strip()[:1] in "Pp"
