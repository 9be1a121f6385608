"""Entra: the sign-in routes of the sandbox, and the tokens that they hand out and check.

Speaks OAuth 2.0 as Entra ID does: applications prove themselves with a secret or an assertion,
people with a device code. What a token opens is decided in `gate`.
"""

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from etl.sandbox.application import Application, Federation
from etl.sandbox.assertions import KIND, Assertions
from etl.sandbox.people import People
from etl.sandbox.refusal import Refusal
from etl.sandbox.scopes import DEFAULT, Scopes
from etl.sandbox.tokens import Person, Tokens

__all__ = ["GRAPH", "Application", "Entra", "Federation"]

GRAPH = "https://graph.microsoft.com"
_DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
Form = dict[str, str]


@dataclass(slots=True)
class Entra:
    """Signs applications and people in; `url` is where the sandbox can be reached."""

    applications: Sequence[Application]
    url: str
    people: People = field(default_factory=People)
    tokens: Tokens = field(init=False)
    _assertions: Assertions = field(default_factory=Assertions)

    def __post_init__(self) -> None:
        self.tokens = Tokens(self.url)

    def routes(self) -> list[Route]:
        """Return the sign-in routes."""
        oauth = "/{tenant}/oauth2/v2.0"
        return [
            Route("/common/discovery/instance", self._instance),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", self._openid),
            Route(f"{oauth}/token", self._token, methods=["POST"]),
            Route(f"{oauth}/devicecode", self._devicecode, methods=["POST"]),
        ]

    def claims(self, token: str, audiences: Collection[str]) -> dict[str, object]:
        """Check a token that is for one of the audiences, and return its claims.

        Raises jwt.InvalidTokenError where it is not good.
        """
        return self.tokens.claims(token, audiences)

    def approve(self, user_code: str) -> None:
        """Let the person who was shown a code sign in."""
        self.people.decide(user_code, approved=True)

    def decline(self, user_code: str) -> None:
        """Let the person who was shown a code refuse."""
        self.people.decide(user_code, approved=False)

    def _instance(self, _: Request) -> Response:
        tenant = self.applications[0].tenant
        url = f"{self.tokens.issuer(tenant)}/.well-known/openid-configuration"
        return JSONResponse({"tenant_discovery_endpoint": url, "metadata": []})

    def _base(self, tenant: str) -> str:
        return f"{self.url}/{tenant}/oauth2/v2.0"

    def _openid(self, request: Request) -> Response:
        tenant = request.path_params["tenant"]
        try:
            self._check_tenant(tenant)
        except Refusal as refusal:
            return refusal.response()
        base = self._base(tenant)
        return JSONResponse(
            {
                "token_endpoint": f"{base}/token",
                "authorization_endpoint": f"{base}/authorize",
                "device_authorization_endpoint": f"{base}/devicecode",
                "issuer": self.tokens.issuer(tenant),
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "response_types_supported": ["code", "token"],
            }
        )

    async def _devicecode(self, request: Request) -> Response:
        try:
            form = await _form(request)
            application = self._application(request, form, "client_id", "scope")
            return JSONResponse(self.people.begin(application, Scopes.parse(form["scope"])))
        except Refusal as refusal:
            return refusal.response()

    async def _token(self, request: Request) -> Response:
        try:
            return JSONResponse(self._granted(request, await _form(request)))
        except Refusal as refusal:
            return refusal.response()

    def _granted(self, request: Request, form: Form) -> dict[str, Any]:
        _require(form, "grant_type")
        match form["grant_type"]:
            case "client_credentials":
                return self._for_application(request, form)
            case "refresh_token":
                application = self._application(request, form, "client_id", "refresh_token")
                self._prove(application, form, optional=application.public)
                scopes = self.people.recall(application, form["refresh_token"])
                asked = form.get("scope")
                return self._for_person(application, Scopes.parse(asked) if asked else scopes, form)
            case grant if grant == _DEVICE:
                application = self._application(request, form, "client_id", "device_code")
                self._prove(application, form, optional=application.public)
                scopes = self.people.poll(application, form["device_code"])
                return self._for_person(application, scopes, form)
            case other:
                text = f"The grant type '{other}' is not supported here."
                raise Refusal(70003, "unsupported_grant_type", text)

    def _for_application(self, request: Request, form: Form) -> dict[str, Any]:
        application = self._application(request, form, "client_id", "scope")
        self._prove(application, form, optional=False)
        audience = Scopes.parse_default(form["scope"]).audience
        return _answer(application, self.tokens.for_application(application, audience))

    def _for_person(self, application: Application, scopes: Scopes, form: Form) -> dict[str, Any]:
        held = application.delegated
        if not held or not {*held, DEFAULT}.issuperset(scopes.permissions):
            text = (
                "The user or administrator has not consented to use the application with ID "
                f"'{application.client}'. Send an interactive authorization request."
            )
            raise Refusal(65001, "invalid_grant", text)
        person = Person(application.tenant)
        granted = dict.fromkeys([*held, *scopes.permissions])
        words = [f"{scopes.audience}/{name}" for name in granted]
        answer = _answer(
            application, self.tokens.for_person(application, scopes.audience, person)
        ) | {"scope": " ".join([*words, *sorted(scopes.identity)])}
        if "offline_access" in scopes.identity:
            answer["refresh_token"] = self.people.remember(application, scopes)
        if "openid" in scopes.identity:
            answer["id_token"] = self.tokens.identity(application, person)
        if form.get("client_info") == "1":
            answer["client_info"] = person.client_info
        return answer

    def _check_tenant(self, tenant: str) -> str:
        if tenant.lower() not in {application.tenant for application in self.applications}:
            raise Refusal(90002, "invalid_request", f"Tenant '{tenant}' not found. Check to make "
                          "sure you have the correct tenant ID.")  # fmt: skip
        return tenant.lower()

    def _application(self, request: Request, form: Form, *required: str) -> Application:
        """Return who asks, once the form has all that is required of it."""
        tenant = self._check_tenant(request.path_params["tenant"])
        _require(form, *required)
        key = tenant, form["client_id"].lower()
        application = next((a for a in self.applications if (a.tenant, a.client) == key), None)
        if application is None:
            text = f"Application with identifier '{form['client_id']}' was not found in the tenant."
            raise Refusal(700016, "unauthorized_client", text)
        if not application.enabled:
            text = f"Application '{application.client}' is disabled."
            raise Refusal(7000112, "unauthorized_client", text)
        return application

    def _prove(self, application: Application, form: Form, *, optional: bool) -> None:
        """Raise Refusal unless the form has a good secret or assertion."""
        secret, assertion = form.get("client_secret", ""), form.get("client_assertion", "")
        if assertion and form.get("client_assertion_type") == KIND:
            endpoint = f"{self._base(application.tenant)}/token"
            self._assertions.check(assertion, application, endpoint)
        elif secret:
            if not hmac.compare_digest(secret.encode(), application.secret.encode()):
                text = "Invalid client secret provided. Ensure the secret being sent is its value."
                raise Refusal(7000215, "invalid_client", text, 401)
        elif not optional:
            text = "The request body must contain 'client_assertion' or 'client_secret'."
            raise Refusal(7000218, "invalid_client", text, 401)


async def _form(request: Request) -> Form:
    text = (await request.body()).decode(errors="replace")
    return {name: values[0] for name, values in parse_qs(text).items()}


def _require(form: Form, *names: str) -> None:
    for name in names:
        if not form.get(name):
            text = f"The request body must contain the following parameter: '{name}'."
            raise Refusal(900144, "invalid_request", text)


def _answer(application: Application, token: str) -> dict[str, Any]:
    lifetime = application.token_lifetime
    return {
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": token,
    }
