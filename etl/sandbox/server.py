"""Server: tenants behind HTTPS on loopback, in a thread or in the foreground.

Puts sign-in and the desks of the tenants together; each of them is told elsewhere.
"""

import socket
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from etl.sandbox import certificates, hunting, mde
from etl.sandbox.desk import Desk, Reception
from etl.sandbox.entra import Application, Entra
from etl.sandbox.faults import Faults
from etl.sandbox.journal import Journal, Request
from etl.sandbox.storm import Clock
from etl.sandbox.tenant import CLIENT_ID, CLIENT_SECRET, Tenant

_START_SECONDS = 20.0
_HUNTING = (*hunting.PATHS, mde.HUNTING)


def _now() -> datetime:
    return datetime.now(UTC)


class _Server(uvicorn.Server):
    """Stops at once: clients keep connections open, and would be waited for."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut every connection, then stop."""
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await super().shutdown(sockets)


class Sandbox:
    """Fake Defender tenants; reachable at `url` from the moment it is made until it is closed.

    The token of a request decides which tenant it is about.
    """

    def __init__(
        self,
        tenant: Tenant,
        port: int = 0,
        *,
        faults: Faults | None = None,
        roles: tuple[str, ...] | None = None,
        clock: Clock = _now,
        others: Sequence[Tenant] = (),
    ) -> None:
        faults = faults or Faults()
        self._folder = tempfile.TemporaryDirectory(prefix="defender-sandbox-")
        self._certificates = certificates.issue(Path(self._folder.name))
        self._socket = socket.create_server(("127.0.0.1", port))
        # asyncio does so for sockets that name their protocol only; head and body are two packets
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = f"https://localhost:{self._socket.getsockname()[1]}"
        self.tenant = tenant
        self.before_listing: Callable[[int], None] | None = None
        """Is told the number of each listing of alerts, from 1, before it is answered."""
        granted = faults.roles if roles is None else roles
        lifetime = faults.token_lifetime
        tenants = (tenant, *others)
        self.applications = {
            one.id: Application(one.id, CLIENT_ID, CLIENT_SECRET, granted, lifetime)
            for one in tenants
        }
        """The app registration in each tenant; what is changed in one holds from then on."""
        self.entra = Entra(list(self.applications.values()), self.url)
        """Sign-in; people approve and decline device codes here."""
        self._desks = {
            one.id: Desk(one, self.entra, faults, clock=clock, watch=self._watch) for one in tenants
        }
        app = Starlette(routes=[*self.entra.routes(), Mount("/", Reception(self._desks))])
        self._journal = Journal(app)
        self._server = _Server(self._config())
        self._thread: threading.Thread | None = None

    def _watch(self, listing: int) -> None:
        if self.before_listing is not None:
            self.before_listing(listing)

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self._journal,
            log_config=None,
            access_log=False,
            log_level="critical",
            lifespan="off",
            loop="asyncio",  # uvloop dies on TLS connections that are open when it stops
            ssl_certfile=str(self._certificates.server),
            ssl_keyfile=str(self._certificates.key),
            timeout_graceful_shutdown=2,
            ws="none",
        )

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables that lead a client to the first tenant."""
        return self.environment_of(self.tenant)

    def environment_of(self, tenant: Tenant) -> dict[str, str]:
        """Return the environment variables that lead a client to a tenant."""
        application = self.applications[tenant.id]
        return {
            "AZURE_TENANT_ID": application.tenant,
            "AZURE_CLIENT_ID": application.client,
            "AZURE_CLIENT_SECRET": application.secret,
            "AZURE_AUTHORITY_HOST": self.url,
            "DEFENDER_GRAPH_URL": self.url,
            "DEFENDER_MDE_URL": self.url,
            "REQUESTS_CA_BUNDLE": str(self._certificates.authority),
        }

    @property
    def requests(self) -> list[Request]:
        """Return what was asked so far."""
        return self._journal.requests

    @property
    def hunting(self) -> list[Request]:
        """Return the hunting queries that were sent so far, whatever became of them."""
        return [request for request in self.requests if request.path in _HUNTING]

    def withhold(self, devices: Collection[str]) -> None:
        """Hide the telemetry of more devices from hunting, as if it had not arrived yet."""
        for desk in self._desks.values():
            desk.veil.withhold(devices)

    def withhold_after(self, ticks: int) -> None:
        """Hide the telemetry after an instant, in .NET ticks, from hunting."""
        for desk in self._desks.values():
            desk.veil.withhold_after(ticks)

    def release(self) -> None:
        """Let everything that was withheld arrive."""
        for desk in self._desks.values():
            desk.veil.release()

    def serve_forever(self) -> None:
        """Serve in the foreground until interrupted."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self.close()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.close()
                raise RuntimeError(f"the sandbox did not start at {self.url}; is the port free?")
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving and remove the certificates."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
        self._socket.close()
        for desk in self._desks.values():
            desk.close()
        self._folder.cleanup()
