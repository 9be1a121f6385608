"""Desk: everything that one tenant answers to those who carry a token; and who is sent to which.

Each tenant has its own alerts, tables and quotas. Sign-in is the same for all, and told in `entra`.
"""

from collections.abc import Mapping

import jwt
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from etl.sandbox import mde
from etl.sandbox.drift import Drift
from etl.sandbox.engine import Engine
from etl.sandbox.entra import Entra
from etl.sandbox.faults import Faults
from etl.sandbox.gate import Gate, GraphError
from etl.sandbox.graph import AlertRoutes, Watch
from etl.sandbox.hunting import HuntingRoute
from etl.sandbox.storm import Clock
from etl.sandbox.tenant import Tenant
from etl.sandbox.veil import Veil


class Desk:
    """The routes of one tenant over its data."""

    def __init__(
        self, tenant: Tenant, entra: Entra, faults: Faults, *, clock: Clock, watch: Watch
    ) -> None:
        drifted = Drift(tenant.malformed) if faults.drift else None
        self._engine = Engine(tenant.tables, faults.missing_tables, drifted)
        gate = Gate(entra, faults)
        alerts = AlertRoutes(tenant.alerts, gate, faults, entra.url, watch)
        hunting = HuntingRoute(self._engine, gate, faults, clock)
        endpoint = mde.MdeRoutes(tenant, Gate(entra, faults, mde.API), faults, entra.url, hunting)
        self.app = Starlette(
            routes=[*alerts.routes(), *hunting.routes(), *endpoint.routes()],
            exception_handlers={404: _not_found},
        )

    @property
    def veil(self) -> Veil:
        """Return what hunting does not see yet."""
        return self._engine.veil

    def close(self) -> None:
        """Forget the tables."""
        self._engine.close()


def _not_found(request: Request, _: Exception) -> Response:
    path = request.url.path
    text = f"Resource not found for the segment '{path.rpartition('/')[2]}'."
    error = GraphError(404, "ResourceNotFound", text)
    return mde.API.envelope(error) if path.startswith("/api/") else error.response()


class Reception:
    """Sends each request to the desk of the tenant that its token is of."""

    def __init__(self, desks: Mapping[str, Desk]) -> None:
        self._desks = desks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; without a tenant the first desk says what is wrong with it."""
        desk = self._desks.get(_tenant(Headers(scope=scope))) or next(iter(self._desks.values()))
        await desk.app(scope, receive, send)


def _tenant(headers: Headers) -> str:
    """Return the tenant that a token names, good or not: the gate looks at that."""
    token = headers.get("authorization", "").rpartition(" ")[2]
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return ""
    return str(claims.get("tid"))
