"""What stands in the way of a run: settings, sign-in, each permission, the lake, one by one."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from etl import ticks
from etl.access.client import Client
from etl.access.credentials import Credentials
from etl.errors import EtlError
from etl.lake.lake import Lake
from etl.settings import Settings, lake_folder
from etl.sources import alerts, hunting, kql
from etl.tenant import Tenant
from etl.values import text
from etl.windows import Window


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `problem` is None where it is well."""

    name: str
    detail: str
    problem: EtlError | None = None


def examine(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for each thing that a run needs; what hangs on a failure is left out."""
    try:
        settings = Settings.read(environment)
    except EtlError as error:
        yield Finding("settings", "", error)
        yield _try("lake", lambda: _lake(lake_folder(environment), "doctor"))
        return
    yield Finding("settings", f"tenant {settings.tenant_id}, {settings.graph_url}")
    with Tenant.connect(settings) as tenant:
        sign_in = _try("sign-in", lambda: _sign_in(settings, tenant.alerts.credentials))
        yield sign_in
        if sign_in.problem is None:
            yield _try(alerts.PERMISSION, lambda: _list_alerts(tenant.alerts))
            yield _try(hunting.PERMISSION, lambda: _hunt(tenant.hunting))
    yield _try("lake", lambda: _lake(settings.lake, settings.tenant_id))


def _try(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, look())
    except EtlError as error:
        return Finding(name, "", error)


def _sign_in(settings: Settings, credentials: Credentials) -> str:
    token = credentials.token()
    return f"as application {settings.client_id}, roles: {', '.join(_roles(token)) or 'none'}"


def _roles(token: str) -> list[str]:
    """Read the granted permissions off a token, for people; the service decides by itself."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return [str(role) for role in claims.get("roles", [])]
    except (IndexError, ValueError, AttributeError, TypeError):
        return ["unreadable"]


def _list_alerts(client: Client) -> str:
    now = ticks.from_datetime(datetime.now(UTC))
    recent = alerts.listing(Window(now - 30 * ticks.PER_DAY, now))
    found = client.get(recent, "list alerts").body.get("value")
    return f"{len(found) if isinstance(found, list) else 0} alerts on the first page of 30 days"


def _hunt(client: Client) -> str:
    query = kql.bind("newest", table=kql.tables(["DeviceProcessEvents"]))
    records = hunting.run(client, query, "hunt in DeviceProcessEvents").records
    values = (value for record in records for value in record.values())
    newest = next((text(value) for value in values if value), None)
    return f"newest process event: {newest or 'none in a day; are devices onboarded?'}"


def _lake(root: Path, tenant: str) -> str:
    with Lake(root, tenant).staging() as folder:
        (folder / "probe").write_text("")
    return f"{root} can be written"
