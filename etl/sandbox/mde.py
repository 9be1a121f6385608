"""MDE: the routes of Defender for Endpoint's own API: alerts, machines and hunting.

Alerts are put into its shape in `mde_alerts`, machines in `mde_machines`.
"""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from etl.sandbox import mde_alerts, mde_filters, mde_machines, odata
from etl.sandbox.alerts import Alert
from etl.sandbox.faults import Faults
from etl.sandbox.gate import Api, Gate, GraphError, Quota
from etl.sandbox.hunting import HuntingRoute
from etl.sandbox.mde_machines import Entity
from etl.sandbox.odata import refused
from etl.sandbox.tables import schema
from etl.sandbox.tenant import Tenant

AUDIENCE = "https://api.securitycenter.microsoft.com"
HUNTING = "/api/advancedqueries/run"
_CONTEXT = "https://api.security.microsoft.com/api/$metadata#"
_MOST_TOP = 10_000
_OPTIONS = {"$filter", "$top", "$skip", "$expand"}
_ENDPOINT = frozenset(name for name in schema() if name.startswith("Device"))
_ALERT_ROLES = ("Alert.Read.All", "Alert.ReadWrite.All", "Alert.Read", "Alert.ReadWrite")
_MACHINE_ROLES = ("Machine.Read.All", "Machine.ReadWrite.All", "Machine.Read", "Machine.ReadWrite")
_QUERY_ROLES = ("AdvancedQuery.Read.All", "AdvancedQuery.Read")
_STATS = {
    "ExecutionTime": 0.0156,
    "resource_usage": {
        "cache": {"memory": {"hits": 12, "misses": 0, "total": 12},
                  "disk": {"hits": 0, "misses": 0, "total": 0}},
        "cpu": {"user": "00:00:00.0156250", "kernel": "00:00:00", "total cpu": "00:00:00.0156250"},
        "memory": {"peak_per_node": 1_573_056},
    },
}  # fmt: skip
_T = TypeVar("_T")
Related = Callable[[Alert], list[Entity]]


def _envelope(error: GraphError) -> Response:
    """Return an error as this API words it."""
    unwell = error.status >= 500  # noqa: PLR2004
    code = "InternalServerError" if unwell else error.code
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    body = {"code": code, "message": str(error), "target": str(uuid.uuid4())}
    return JSONResponse({"error": body}, error.status, headers)


API = Api((AUDIENCE,), "Unauthorized", (403, "Forbidden"), _envelope)


def not_found(message: str) -> GraphError:
    """Return a 404."""
    return GraphError(404, "ResourceNotFound", message)


class MdeRoutes:
    """Answers for Defender for Endpoint; hunting shares its quota with Graph's."""

    def __init__(
        self, tenant: Tenant, gate: Gate, faults: Faults, url: str, hunting: HuntingRoute
    ) -> None:
        self._tenant = tenant
        self._gate = gate
        self._quota = Quota(faults.mde_requests_per_minute)
        self._page_size = faults.mde_page_size
        self._url = url
        self._hunting = hunting

    def routes(self) -> list[Route]:
        """Return the routes."""
        guard = self._gate.guard
        first, *others = _ALERT_ROLES
        machine, *machines = _MACHINE_ROLES
        query, *queries = _QUERY_ROLES
        alert = "/api/alerts/{identity}"
        return [
            Route("/api/alerts", guard(first, self._list, *others)),
            Route(alert, guard(first, self._get, *others)),
            Route(f"{alert}/machine", guard(machine, self._machine, *machines)),
            Route(f"{alert}/user", guard("User.Read.All", self._user)),
            self._related(f"{alert}/files", "File.Read.All", "Files", mde_machines.files),
            self._related(f"{alert}/ips", "Ip.Read.All", "Ips", mde_machines.ips),
            self._related(f"{alert}/domains", "URL.Read.All", "Domains", mde_machines.domains),
            Route("/api/machines", guard(machine, self._machines, *machines)),
            Route(HUNTING, guard(query, self._run, *queries), methods=["POST"]),
        ]

    def _count_request(self) -> None:
        seconds = self._quota.wait()
        if seconds:
            text = f"API calls quota exceeded! Try again in {int(seconds + 1)} seconds."
            raise self._gate.throttled(seconds, text)

    async def _list(self, request: Request) -> Response:
        self._count_request()
        options = _options(request)
        expand = options.get("$expand", "")
        if expand not in ("", "evidence"):
            raise refused(f"Could not find a property named '{expand}' to expand.")
        held = filter(mde_alerts.has, list(self._tenant.alerts))
        shown = [(mde_alerts.summary(alert), alert) for alert in held]
        if options.get("$filter"):
            test = odata.compile_filter(options["$filter"], mde_filters.ALERTS.compare)
            shown = [pair for pair in shown if test(pair[0])]
        shown.sort(key=lambda pair: odata.rank("createdDateTime")(pair[1]), reverse=True)
        page, link = self._cut(shown, options, "/api/alerts")
        found = [
            summary | {"evidence": list(mde_alerts.evidence(alert))} if expand else summary
            for summary, alert in page
        ]
        return JSONResponse({"@odata.context": f"{_CONTEXT}Alerts", "value": found, **link})

    def _cut(
        self, found: Sequence[_T], options: Mapping[str, str], path: str
    ) -> tuple[Sequence[_T], dict[str, str]]:
        """Return the page that is asked for; without `$top` also a link, if more remain."""
        skip = _whole(options, "$skip", 0)
        top = _whole(options, "$top", _MOST_TOP)
        if top > _MOST_TOP:
            raise refused(f"The limit of '{_MOST_TOP}' for Top query has been exceeded.")
        end = skip + min(top, self._page_size)
        if "$top" in options or end >= len(found):
            return found[skip:end], {}
        query = urlencode({**options, "$skip": end})
        return found[skip:end], {"@odata.nextLink": f"{self._url}{path}?{query}"}

    async def _get(self, request: Request) -> Response:
        self._count_request()
        context = {"@odata.context": f"{_CONTEXT}Alerts/$entity"}
        return JSONResponse(context | self._alert(request))

    def _alert(self, request: Request) -> Alert:
        wanted = request.path_params["identity"]
        for alert in self._tenant.alerts:
            if alert.get("id") == wanted and mde_alerts.has(alert):
                return mde_alerts.summary(alert) | {"evidence": list(mde_alerts.evidence(alert))}
        raise not_found(f"Alert {wanted} was not found.")

    def _related(self, path: str, role: str, name: str, related: Related) -> Route:
        async def answer(request: Request) -> Response:
            self._count_request()
            found = related(self._alert(request))
            return JSONResponse({"@odata.context": f"{_CONTEXT}{name}", "value": found})

        return Route(path, self._gate.guard(role, answer))

    async def _user(self, request: Request) -> Response:
        self._count_request()
        found = mde_machines.user(self._alert(request))
        if found is None:
            raise not_found("The alert has no user.")
        return JSONResponse({"@odata.context": f"{_CONTEXT}Users/$entity"} | found)

    async def _machine(self, request: Request) -> Response:
        self._count_request()
        wanted = str(self._alert(request)["machineId"]).lower()
        for machine in self._fleet():
            if machine["id"] == wanted:
                return JSONResponse({"@odata.context": f"{_CONTEXT}Machines/$entity"} | machine)
        raise not_found(f"Machine {wanted} was not found.")

    async def _machines(self, request: Request) -> Response:
        self._count_request()
        options = _options(request)
        found = self._fleet()
        if options.get("$filter"):
            test = odata.compile_filter(options["$filter"], mde_filters.MACHINES.compare)
            found = list(filter(test, found))
        page, link = self._cut(found, options, "/api/machines")
        if not page:
            raise not_found("No machine was found.")
        return JSONResponse({"@odata.context": f"{_CONTEXT}Machines", "value": page, **link})

    def _fleet(self) -> list[Entity]:
        day = self._tenant.days[-1]
        return [mde_machines.machine(device, day) for device in self._tenant.devices]

    async def _run(self, request: Request) -> Response:
        try:
            body = json.loads(await request.body())
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise GraphError(400, "InvalidRequestBody", "The request body is no JSON object.")
        query = body.get("Query")
        request.state.query = query
        if not isinstance(query, str) or not query.strip():
            raise GraphError(400, "MissingRequiredParameter", "The parameter 'Query' is missing.")
        answer = await self._hunting.ask(query, tables=_ENDPOINT)
        request.state.rows = answer.number
        head = {
            "Stats": _STATS,
            "Schema": [{"Name": one["name"], "Type": one["type"]} for one in answer.schema],
        }
        content = json.dumps(head)[:-1].encode() + b',"Results":' + answer.rows + b"}"
        return Response(content, media_type="application/json")


def _options(request: Request) -> dict[str, str]:
    options = dict(request.query_params)
    unknown = {name for name in options if name.startswith("$")} - _OPTIONS
    if unknown:
        raise refused(f"Query option '{min(unknown)}' is not allowed.")
    return options


def _whole(options: Mapping[str, str], name: str, default: int) -> int:
    text = options.get(name, str(default))
    if not (text.isdecimal() and text.isascii()):
        raise refused(f"Invalid value '{text}' for {name}.")
    return int(text)
