"""Graph: the alert routes: list with filter, order, paging and selection, and get by id."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from etl.sandbox import odata
from etl.sandbox.alerts import Alert
from etl.sandbox.faults import Faults
from etl.sandbox.gate import Gate, GraphError, Quota
from etl.sandbox.mishaps import Mishaps
from etl.sandbox.odata import refused

PATH = "/v1.0/security/alerts_v2"
ROLE = "SecurityAlert.Read.All"
Watch = Callable[[int], None]
"""Is told the number of each listing, from 1, before the alerts are looked at."""

_CONTEXT = "https://graph.microsoft.com/v1.0/$metadata#security/alerts_v2"
_DEFAULT_TOP, _MOST_TOP, _MOST_SKIP = 100, 1000, 500
_DEFAULT_ORDER = "createdDateTime desc"
_OPTIONS = {"$filter", "$top", "$skip", "$orderby", "$select", "$count", "$skiptoken"}
_HIDDEN = {
    "serviceSource": {"microsoftDefenderForCloud", "microsoftSentinel",
                      "microsoftInsiderRiskManagement", "microsoftThreatIntelligence",
                      "microsoftSecurityForAI"},
    "detectionSource": {"microsoftDefenderForCloud", "microsoftSentinel", "scheduledAlerts",
                        "nrtAlerts", "builtInMl", "microsoftThreatIntelligence",
                        "microsoftInsiderRiskManagement", "securityCopilot"},
}  # fmt: skip
"""Members that are shown as unknownFutureValue unless the caller prefers to see them."""


@dataclass(frozen=True, slots=True)
class _Page:
    """What a list request asks for; a next link carries it."""

    top: int = _DEFAULT_TOP
    skip: int = 0
    filter: str = ""
    orderby: str = _DEFAULT_ORDER
    select: str = ""
    count: bool = False

    @classmethod
    def read(cls, options: Mapping[str, str]) -> "_Page":
        """Read the query options of a request."""
        unknown = {name for name in options if name.startswith("$")} - _OPTIONS
        if unknown:
            raise refused(f"Query option '{min(unknown)}' is not allowed.")
        if "$skiptoken" in options:
            return cls._unpack(options["$skiptoken"])
        skip = _whole(options, "$skip", 0)
        top = _whole(options, "$top", _DEFAULT_TOP)
        if skip > _MOST_SKIP:
            raise refused(f"The limit of '{_MOST_SKIP}' for Skip query has been exceeded.")
        return cls(
            min(top, _MOST_TOP), skip, options.get("$filter", ""),
            options.get("$orderby", _DEFAULT_ORDER), options.get("$select", ""),
            count=options.get("$count", "").lower() == "true",
        )  # fmt: skip

    @classmethod
    def _unpack(cls, token: str) -> "_Page":
        try:
            return cls(**json.loads(base64.urlsafe_b64decode(token.encode())))
        except (ValueError, TypeError, binascii.Error):
            raise refused("The skip token is not valid.") from None

    def token(self) -> str:
        """Return the opaque text that leads back to this page."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()


def _whole(options: Mapping[str, str], name: str, default: int) -> int:
    text = options.get(name, str(default))
    if not text.isdecimal() or (name == "$top" and int(text) == 0):
        raise refused(f"Invalid value '{text}' for {name}.")
    return int(text)


class AlertRoutes:
    """Answers questions about alerts."""

    def __init__(
        self, alerts: list[Alert], gate: Gate, faults: Faults, url: str, watch: Watch
    ) -> None:
        self._alerts = alerts
        self._gate = gate
        self._quota = Quota(faults.alert_requests_per_minute)
        self._mishaps = Mishaps(faults)
        self._page_size = faults.page_size or _MOST_TOP
        self._url = url
        self._watch = watch
        self._listings = 0

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(PATH, self._gate.guard(ROLE, self._list)),
            Route(PATH + "/{identity}", self._gate.guard(ROLE, self._get)),
        ]

    def _count_request(self) -> None:
        seconds = self._quota.wait()
        if seconds:
            text = "Too many requests on alerts; wait before trying again."
            raise self._gate.throttled(seconds, text)

    async def _list(self, request: Request) -> Response:
        self._count_request()
        self._listings += 1
        self._watch(self._listings)
        page = _Page.read(dict(request.query_params))
        if "$skiptoken" in request.query_params:
            self._mishaps.follow()
        found = self._found(page)
        end = page.skip + min(page.top, self._page_size)
        given = found[page.skip : end]
        body: dict[str, object] = {"@odata.context": _CONTEXT}
        if page.count:
            body["@odata.count"] = len(found) + self._mishaps.count_off
        if end < len(found):
            rest = replace(page, skip=end)
            body["@odata.nextLink"] = f"{self._url}{PATH}?$skiptoken={rest.token()}"
        names = [name.strip() for name in page.select.split(",") if name.strip()]
        shown = [_selected(_masked(alert, request), names) for alert in given]
        answer = self._mishaps.answer(body, shown)
        self._mishaps.shift(self._alerts, given, found[end:])
        return answer

    def _found(self, page: _Page) -> list[Alert]:
        alerts = list(self._alerts)
        if page.filter:
            alerts = list(filter(odata.compile_filter(page.filter), alerts))
        name, latest_first = odata.sort_key(page.orderby)
        if self._mishaps.unordered:
            name, latest_first = odata.sort_key(_DEFAULT_ORDER)
        return sorted(alerts, key=odata.rank(name), reverse=latest_first)

    async def _get(self, request: Request) -> Response:
        self._count_request()
        wanted = request.path_params["identity"]
        for alert in self._alerts:
            if alert.get("id") == wanted:
                context = {"@odata.context": f"{_CONTEXT}/$entity"}
                return JSONResponse(context | _masked(alert, request))
        raise GraphError(404, "NotFound", f"Alert '{wanted}' was not found.")


def _masked(alert: Alert, request: Request) -> Alert:
    if "include-unknown-enum-members" in request.headers.get("prefer", ""):
        return alert
    masked = {
        name: "unknownFutureValue"
        for name, hidden in _HIDDEN.items()
        if str(alert.get(name)) in hidden
    }
    return alert | masked


def _selected(alert: Alert, names: list[str]) -> Alert:
    if not names:
        return alert
    for name in names:
        if name not in alert:
            raise refused(f"Could not find a property named '{name}' on type 'alert'.")
    return {name: alert[name] for name in names}
