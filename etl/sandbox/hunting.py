"""Hunting: the route that runs a query, with the service's limits on time, rows, size and calls."""

import json
import time

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from etl.sandbox import literals, moments
from etl.sandbox.engine import Answer, Engine, Scope, TooLarge, TooSlow
from etl.sandbox.faults import Faults
from etl.sandbox.gate import Gate, GraphError
from etl.sandbox.odata import refused
from etl.sandbox.storm import Clock, Storm
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
_TIMEOUT = "Query exceeded the timeout period."


class HuntingRoute:
    """Answers hunting queries."""

    def __init__(self, engine: Engine, gate: Gate, faults: Faults, clock: Clock) -> None:
        self._engine = engine
        self._gate = gate
        self._faults = faults
        self._clock = clock
        self._storm = Storm(faults, gate, clock)

    def routes(self) -> list[Route]:
        """Return the route."""
        return [Route(path, self._gate.guard(ROLE, self._run), methods=["POST"]) for path in PATHS]

    async def ask(
        self, query: str, span: object = None, tables: frozenset[str] | None = None
    ) -> Answer:
        """Run a query within the limits of the tenant.

        Where it may see some tables only, it is another API that asks, which notes no types.
        """
        self._storm.count()
        now = moments.unix_ticks(self._clock())
        start, end = timespan(span, now)
        most = self._faults.slow if self._faults.gateway is None else self._faults.gateway
        scope = Scope(
            max(start, now - _RETENTION), end, now, self._faults.rows, tables,
            notes=tables is None, most=most, size=self._faults.result_bytes,
        )  # fmt: skip
        try:
            return await run_in_threadpool(self._answer, query, scope)
        except QueryRefused as refusal:
            raise refused(str(refusal)) from None
        except TooLarge:
            raise refused(_TOO_LARGE) from None
        except TooSlow:
            if self._faults.gateway is not None:
                raise GraphError(504, "UnknownError", "") from None
            raise refused(_TIMEOUT) from None

    def _answer(self, query: str, scope: Scope) -> Answer:
        """Ask the engine, in a thread of its own, and take the time that faults say."""
        try:
            return self._engine.ask(query, scope)
        finally:
            time.sleep(self._faults.lag / 1000)

    async def _run(self, request: Request) -> Response:
        body = _fields(await request.body())
        query = body.get("query")
        request.state.query = query
        if not isinstance(query, str) or not query.strip():
            raise refused("The request body must contain the parameter 'Query'.")
        answer = await self.ask(query, body.get("timespan"))
        request.state.rows = answer.number
        head = json.dumps({"@odata.context": _CONTEXT, "schema": answer.schema})
        content = head[:-1].encode() + b',"results":' + answer.rows + b"}"
        return Response(content, media_type="application/json")


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
