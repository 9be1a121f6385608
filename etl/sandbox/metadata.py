"""Metadata: a stand-in for what tells a machine in Azure its identity, over plain HTTP.

Of a virtual machine, or of App Service; the tokens are Entra's, so that the sandbox takes them.
"""

import json
import secrets
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

from etl.sandbox.application import Application
from etl.sandbox.entra import Entra

_PATH: Final = "/metadata/identity/oauth2/token"
_APP_SERVICE_PATH: Final = "/msi/token"
_OTHER_NAMES: Final = ("object_id", "principal_id", "msi_res_id", "mi_res_id")
"""Parameters that name an identity other than by its client id; the sandbox knows none so."""


@dataclass(frozen=True, slots=True)
class _Error(Exception):
    status: int
    code: str
    text: str


class MetadataService:
    """Hands out tokens of an application to whoever can reach it on loopback."""

    def __init__(
        self, entra: Entra, application: Application, *, app_service: bool = False
    ) -> None:
        self._entra = entra
        self._application = application
        self._app_service = app_service
        self._secret = secrets.token_hex(16)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables that lead a client here."""
        if self._app_service:
            endpoint = f"{self.url}{_APP_SERVICE_PATH}"
            return {"IDENTITY_ENDPOINT": endpoint, "IDENTITY_HEADER": self._secret}
        return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self.url}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, target: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Return status and body of a GET; header names are in lower case."""
        parts = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            self._check_caller(parts.path, headers)
            self._check_identity(asked)
            return 200, self._token(_resource(asked))
        except _Error as error:
            if self._app_service:
                return error.status, {"statusCode": error.status, "message": error.text}
            return error.status, {"error": error.code, "error_description": error.text}

    def _check_caller(self, path: str, headers: dict[str, str]) -> None:
        if path != (_APP_SERVICE_PATH if self._app_service else _PATH):
            raise _Error(404, "not_found", "Not found")
        if self._app_service:
            if headers.get("x-identity-header") != self._secret:
                raise _Error(401, "unauthorized", "The X-IDENTITY-HEADER is missing or wrong.")
        elif headers.get("metadata", "").lower() != "true":
            raise _Error(400, "bad_request_102", "Required metadata header not specified")

    def _check_identity(self, asked: dict[str, str]) -> None:
        client = asked.get("client_id", self._application.client)
        if client.lower() != self._application.client or any(n in asked for n in _OTHER_NAMES):
            if self._app_service:
                text = "No User Assigned or Delegated Managed Identity found for specified ClientId"
                raise _Error(400, "invalid_request", text)
            raise _Error(400, "invalid_request", "Identity not found")
        if not self._application.enabled:
            text = f"AADSTS7000112: Application '{self._application.client}' is disabled."
            raise _Error(400, "unauthorized_client", text)

    def _token(self, resource: str) -> dict[str, Any]:
        lifetime, now = self._application.token_lifetime, int(time.time())
        answer = {
            "access_token": self._entra.tokens.for_application(self._application, resource),
            "client_id": self._application.client,
            "expires_on": str(now + lifetime),
            "not_before": str(now),
            "resource": resource,
            "token_type": "Bearer",
        }
        if self._app_service:
            return answer
        return answer | {"expires_in": str(lifetime), "ext_expires_in": str(lifetime)}


def _resource(asked: dict[str, str]) -> str:
    for name in ("api-version", "resource"):
        if name not in asked:
            text = f"The request is missing the required query parameter '{name}'."
            raise _Error(400, "invalid_request", text)
    resource = asked["resource"]
    if resource.endswith("/.default"):
        text = f"AADSTS500011: The resource principal named {resource} was not found in the tenant."
        raise _Error(400, "invalid_resource", text)
    return resource


def _handler(service: MetadataService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body = service.answer(self.path, headers)
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing on the console."""

    return Handler
