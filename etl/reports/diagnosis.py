"""What stands in the way of a run: settings, sign-in, each permission, the lake, one by one."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from etl import ticks
from etl.access.credentials import Credentials
from etl.errors import EtlError, printable
from etl.lake.lake import Lake
from etl.settings import Settings, lake_folder
from etl.sources import hunting, kql
from etl.sources.alerts import AlertSource
from etl.sources.hunting import Hunting
from etl.tenant import Tenant
from etl.values import text, texts
from etl.windows import Window


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `problem` is None where it is well."""

    name: str
    detail: str
    problem: EtlError | None = None


def examine(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for each thing that a run needs; what hangs on a failure is left out.

    Where there are several tenants, each finding of one has its name in front.
    """
    try:
        every = Settings.every(environment)
    except EtlError as error:
        yield Finding("settings", "", error)
        yield _try("lake", lambda: _lake(lake_folder(environment), "doctor"))
        return
    for settings in every:
        for finding in _tenant(settings):
            several = len(every) > 1
            yield replace(finding, name=f"{settings.name}: {finding.name}") if several else finding


def _tenant(settings: Settings) -> Iterator[Finding]:
    yield Finding("settings", f"tenant {settings.tenant_id}, {settings.graph_url}")
    with Tenant.connect(settings) as tenant:
        sign_in = _try("sign-in", lambda: _sign_in(settings, tenant.hunting.client.credentials))
        yield sign_in
        if sign_in.problem is None:
            yield _try(tenant.alerts.permission, lambda: _ask_for_alerts(tenant.alerts))
            yield _try(hunting.PERMISSION, lambda: _hunt(tenant.hunting))
    yield _try("lake", lambda: _lake(settings.lake, settings.tenant_id))


def _try(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, look())
    except EtlError as error:
        return Finding(name, "", error)


def _sign_in(settings: Settings, credentials: Credentials) -> str:
    claims = _claims(credentials.token())
    granted = claims.get("scp", claims.get("roles", []))
    names = granted.split() if isinstance(granted, str) else texts(granted)
    person = text(claims.get("preferred_username")) or text(claims.get("upn"))
    application = settings.client_id or text(claims.get("appid")) or "of this machine"
    who = f"{person} through application {application}" if person else f"application {application}"
    kind = "scopes" if "scp" in claims else "roles"
    return printable(f"by {settings.auth} as {who}, {kind}: {', '.join(names) or 'none'}")


def _claims(token: str) -> dict[str, Any]:
    """Read what a token says, for people; the service decides by itself."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _ask_for_alerts(alerts: AlertSource) -> str:
    now = ticks.from_datetime(datetime.now(UTC))
    count = alerts.count(Window(now - 30 * ticks.PER_DAY, now))
    if count is None:  # a service that does not count says as much by not knowing this one
        alerts.knows("doctor")
        return "alerts can be read"
    return f"{count} alerts in 30 days"


def _hunt(hunts: Hunting) -> str:
    query = kql.bind("newest", table=kql.tables(["DeviceProcessEvents"]))
    records = hunts.run(query, "hunt in DeviceProcessEvents").records
    values = (value for record in records for value in record.values())
    newest = next((text(value) for value in values if value), None)
    found = f"newest process event: {newest or 'none in a day; are devices onboarded?'}"
    return f"{found}; {hunts.ending}" if hunts.ending else found


def _lake(root: Path, tenant: str) -> str:
    with Lake(root, tenant).staging() as folder:
        (folder / "probe").write_text("")
    return f"{root} can be written"
