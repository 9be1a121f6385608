"""What Defender for Endpoint keeps beside an alert: its machine, files, addresses, domains, user.

Machines come from one listing of the inventory, not by a request an alert. The rest adds nothing to
an alert that holds evidence, and is asked for only where there is none. Only what identifies a
thing is kept: a machine's health or last address changes daily, and would make an unchanged alert
look new. A permission that is missing costs what it guards, never the alerts.
https://learn.microsoft.com/defender-endpoint/api/machine
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

import requests

from etl.access.client import Client
from etl.errors import Forbidden, RequestRefused
from etl.sources.alerts import Page
from etl.values import Record, canonical, part, text

MACHINES: Final = "Machine.Read.All"
BUDGET: Final = 60
"""Alerts that may be asked about one by one in a pull: at most 300 of the hour's 1,500 calls."""

_PAGE: Final = 10_000
"""Machines in one answer at most."""

_MACHINE: Final = (
    "id", "computerDnsName", "osPlatform", "osArchitecture", "version", "osBuild", "aadDeviceId",
    "rbacGroupId", "rbacGroupName",
)  # fmt: skip
_FILE: Final = (
    "sha1", "sha256", "md5", "size", "fileType", "isPeFile", "filePublisher", "fileProductName",
    "signer", "issuer", "signerHash",
)  # fmt: skip


_NOTHING: Final = Page([], None, "", 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of entity: the permission for it and the fields that identify one."""

    permission: str
    fields: tuple[str, ...]


_BESIDE: Final = {
    "files": _Kind("File.Read.All", _FILE),
    "ips": _Kind("Ip.Read.All", ("id",)),
    "domains": _Kind("URL.Read.All", ("host",)),
    "user": _Kind("User.Read.All", ("id", "accountName", "accountDomain", "accountSid")),
}


@dataclass(slots=True)
class Entities:
    """What one pull has learned beside its alerts, and what that took."""

    client: Client
    budget: int = BUDGET
    left_out: set[str] = field(default_factory=set)
    """Alerts that were not asked about once the budget was spent."""

    _inventory: dict[str, Record] | None = None
    _alone: dict[str, Record] = field(default_factory=dict)
    _beside: dict[str, Record] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _closed: set[str] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)
    _spent: Page = _NOTHING

    def attached(self, page: Page) -> Page:
        """Return a page with what belongs to its alerts, and with the calls that it took.

        Raises an AccessError that another attempt may cure.
        """
        self._spent = replace(page, records=[])
        records = [self._attach(record) for record in page.records]
        return replace(self._spent, records=records)

    def _attach(self, alert: object) -> object:
        """Return an alert with our keys; one that the service has itself is the service's."""
        identity = text(part(alert).get("id"))
        if not isinstance(alert, dict) or identity is None:
            return alert
        machine = self._machine(identity, text(alert.get("machineId")))
        found: Record = {"machine": machine} if machine else {}
        if not alert.get("evidence") and (alert.get("machineId") or alert.get("relatedUser")):
            found |= self._around(identity)
        return {**found, **alert}

    def _machine(self, alert: str, machine: str | None) -> Record:
        if machine is None:
            return {}
        key = machine.strip().lower()
        if self._inventory is None:
            self._inventory = self._machines()
        if key not in self._inventory and key not in self._alone:
            if MACHINES in self._closed or not self._affords(alert):
                return {}
            body = self._ask(f"{_one(alert)}/machine", "get an alert's machine", MACHINES)
            self._alone[key] = _only(body, _MACHINE)
        return self._inventory.get(key) or self._alone[key]

    def _machines(self) -> dict[str, Record]:
        """List the inventory; a machine that pages lose while they shift is asked for alone."""
        found: dict[str, Record] = {}
        while True:
            behind = f"?$skip={len(found)}" if found else ""
            body = self._ask(f"api/machines{behind}", "list machines", MACHINES)
            known = len(found)
            for sent in _parts(body.get("value")):
                identity = text(sent.get("id"))
                if identity:
                    found[identity.strip().lower()] = _only(sent, _MACHINE)
            more = body.get("@odata.nextLink") or len(_parts(body.get("value"))) >= _PAGE
            if not more or len(found) == known:
                return found

    def _around(self, alert: str) -> Record:
        """Return the files, addresses, domains and user of an alert, each in a settled order."""
        if alert not in self._beside:
            if not self._affords(alert):
                return {}
            lists = {name: self._list(alert, name, kind) for name, kind in _BESIDE.items()}
            self._beside[alert] = {name: found for name, found in lists.items() if found}
        return self._beside[alert]

    def _list(self, alert: str, name: str, kind: _Kind) -> list[Record]:
        body = self._ask(f"{_one(alert)}/{name}", f"list an alert's {name}", kind.permission)
        sent = _parts(body["value"]) if "value" in body else [body]
        return sorted(filter(None, (_only(one, kind.fields) for one in sent)), key=canonical)

    def _affords(self, alert: str) -> bool:
        """Tell whether an alert may be asked about, once for all that is asked of it."""
        if alert not in self._asked and len(self._asked) >= self.budget:
            self.left_out.add(alert)
            return False
        self._asked.add(alert)
        return True

    def _ask(self, url: str, what: str, permission: str) -> Record:
        """Return an answer's body; empty where there is nothing, or nothing to be had."""
        if permission in self._closed:
            return {}
        try:
            answer = self.client.get(url, what)
        except Forbidden:
            self._closed.add(permission)
            self._count(1, doubt=f"not allowed to {what}: the token lacks {permission}")
        except RequestRefused as error:
            none = error.status == requests.codes.not_found
            self._count(1, doubt=None if none else str(error))
        else:
            self._count(answer.calls, size=answer.size, throttled=answer.throttled)
            body: Record = answer.body
            return body
        return {}

    def _count(
        self, calls: int, *, size: int = 0, throttled: int = 0, doubt: str | None = None
    ) -> None:
        """Add to what the page took; a remark is told once a pull."""
        new = () if doubt is None or doubt in self._told else (doubt,)
        self._told.update(new)
        self._spent = replace(
            self._spent,
            calls=self._spent.calls + calls,
            size=self._spent.size + size,
            throttled=self._spent.throttled + throttled,
            remarks=(*self._spent.remarks, *new),
        )


def _one(alert: str) -> str:
    return f"api/alerts/{quote(alert, safe='')}"


def _only(sent: Record, fields: Iterable[str]) -> Record:
    return {name: sent[name] for name in fields if sent.get(name) is not None}


def _parts(value: Any) -> list[Record]:  # noqa: ANN401 - as the service sent it
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
