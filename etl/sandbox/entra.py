"""Entra: the sign-in routes of the sandbox, and the tokens that they hand out and check.

Speaks OAuth 2.0 client credentials with a secret, as Entra ID does. What a token opens is decided
in `gate`.
"""

import hmac
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

GRAPH = "https://graph.microsoft.com"
_ALGORITHM = "ES256"
_DEFAULT = "/.default"


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """A sign-in that Entra ID refuses."""

    code: int
    error: str
    text: str
    status: int = 400

    def response(self) -> Response:
        """Return the documented body."""
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        description = (
            f"AADSTS{self.code}: {self.text}\r\nTrace ID: {trace}\r\n"
            f"Correlation ID: {correlation}\r\nTimestamp: {now}"
        )
        body = {
            "error": self.error,
            "error_description": description,
            "error_codes": [self.code],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }
        return JSONResponse(body, self.status)


@dataclass(frozen=True, slots=True)
class Application:
    """The one app registration of the tenant."""

    tenant: str
    client: str
    secret: str
    roles: tuple[str, ...]
    token_lifetime: int


@dataclass(slots=True)
class Entra:
    """Signs the application in; `url` is where the sandbox can be reached."""

    application: Application
    url: str
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def routes(self) -> list[Route]:
        """Return the sign-in routes."""
        openid = "/{tenant}/v2.0/.well-known/openid-configuration"
        return [
            Route("/common/discovery/instance", self._instance),
            Route(openid, self._openid),
            Route("/{tenant}/oauth2/v2.0/token", self._token, methods=["POST"]),
        ]

    def claims(self, token: str) -> dict[str, object]:
        """Check a token for this host's Graph and return its claims.

        Raises jwt.InvalidTokenError where it is not good.
        """
        known: dict[str, object] = jwt.decode(
            token,
            self._key.public_key(),
            algorithms=[_ALGORITHM],
            audience=[GRAPH, self.url],
            options={"require": ["exp", "aud", "iss", "tid"]},
        )
        return known

    def _instance(self, _: Request) -> Response:
        return JSONResponse({"tenant_discovery_endpoint": self._openid_url(), "metadata": []})

    def _openid_url(self) -> str:
        return f"{self.url}/{self.application.tenant}/v2.0/.well-known/openid-configuration"

    def _issuer(self) -> str:
        return f"{self.url}/{self.application.tenant}/v2.0"

    def _openid(self, request: Request) -> Response:
        tenant = request.path_params["tenant"]
        try:
            self._check_tenant(tenant)
        except Refusal as refusal:
            return refusal.response()
        base = f"{self.url}/{tenant}/oauth2/v2.0"
        return JSONResponse(
            {
                "token_endpoint": f"{base}/token",
                "authorization_endpoint": f"{base}/authorize",
                "device_authorization_endpoint": f"{base}/devicecode",
                "issuer": self._issuer(),
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "response_types_supported": ["code", "token"],
            }
        )

    async def _token(self, request: Request) -> Response:
        form = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        }
        try:
            self._check_tenant(request.path_params["tenant"])
            self._check_client(form)
            audience = self._audience(form.get("scope", ""))
        except Refusal as refusal:
            return refusal.response()
        lifetime = self.application.token_lifetime
        return JSONResponse(
            {
                "token_type": "Bearer",
                "expires_in": lifetime,
                "ext_expires_in": lifetime,
                "access_token": self._sign(audience, lifetime),
            }
        )

    def _sign(self, audience: str, lifetime: int) -> str:
        now = int(datetime.now(UTC).timestamp())
        application = self.application
        claims = {
            "aud": audience,
            "iss": self._issuer(),
            "tid": application.tenant,
            "appid": application.client,
            "azp": application.client,
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "uti": uuid.uuid4().hex,
            "ver": "2.0",
        }
        roles = {"roles": list(application.roles)} if application.roles else {}
        return jwt.encode(claims | roles, self._key, algorithm=_ALGORITHM)

    def _check_tenant(self, tenant: str) -> None:
        if tenant.lower() != self.application.tenant:
            raise Refusal(90002, "invalid_request", f"Tenant '{tenant}' not found. Check to make "
                          "sure you have the correct tenant ID.")  # fmt: skip

    def _check_client(self, form: dict[str, str]) -> None:
        for name in ("grant_type", "client_id", "scope"):
            if not form.get(name):
                text = f"The request body must contain the following parameter: '{name}'."
                raise Refusal(900144, "invalid_request", text)
        if form["grant_type"] != "client_credentials":
            text = f"The grant type '{form['grant_type']}' is not supported here."
            raise Refusal(70003, "unsupported_grant_type", text)
        if form["client_id"].lower() != self.application.client:
            text = f"Application with identifier '{form['client_id']}' was not found in the tenant."
            raise Refusal(700016, "unauthorized_client", text)
        secret = form.get("client_secret", "")
        if not secret:
            text = "The request body must contain 'client_assertion' or 'client_secret'."
            raise Refusal(7000218, "invalid_client", text, 401)
        if not hmac.compare_digest(secret.encode(), self.application.secret.encode()):
            text = "Invalid client secret provided. Ensure the secret being sent is its value."
            raise Refusal(7000215, "invalid_client", text, 401)

    def _audience(self, scope: str) -> str:
        scopes = scope.split()
        if len(scopes) != 1 or not scopes[0].endswith(_DEFAULT):
            text = f"The provided value for the input parameter 'scope' is not valid: {scope!r}."
            raise Refusal(70011, "invalid_scope", text)
        return scopes[0].removesuffix(_DEFAULT)
