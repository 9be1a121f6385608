"""Questions: the clauses that a lead of each kind makes.

Facts of the hunting tables: which of their columns hold what an alert's evidence says.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from etl import ticks
from etl.sources.hunts.clauses import DEVICE, Clause, having
from etl.sources.hunts.facets import (
    Facet,
    either_case,
    key,
    number,
    or_empty,
    time,
    to_the_letter,
)
from etl.sources.hunts.lead import Hunt, Lead
from etl.values import text

_CREATIONS: Final = frozenset({"DeviceProcessEvents"})
_LOGONS: Final = frozenset({"DeviceLogonEvents"})
_SCHEME: Final = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_HOST: Final = re.compile(r"(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)")

_CUT: Final = 10 * 1_000 * ticks.PER_MICROSECOND
"""The precision of instants that were cut, as those of Linux are: 10 ms, in ticks."""


@dataclass(frozen=True, slots=True)
class _Question:
    """Facets to ask for together, in some tables or in all that have the columns."""

    facets: tuple[Facet | None, ...]
    tables: frozenset[str] | None = None
    rare: bool = True


def clauses(hunt: Hunt) -> list[Clause]:
    """Return what a row must be to answer a hunt: any of these; none where there is no answer."""
    devices = either_case(DEVICE, *hunt.lead.devices)
    found: list[Clause] = []
    for question in _ASKED[hunt.lead.kind](hunt.lead):
        asked = [facet for facet in question.facets if facet is not None]
        if asked:
            facets = tuple(dict.fromkeys([*asked, *([devices] if devices else [])]))
            tables = question.tables or having(facets)
            found.append(Clause(tables, hunt.hours, facets, question.rare))
    return found


def _process(lead: Lead) -> Iterator[_Question]:
    yield _by_key(lead, "", None)
    yield _by_key(lead, "Initiating", None)


def _ancestors(lead: Lead) -> Iterator[_Question]:
    yield _by_key(lead, "", _CREATIONS)


def _descendants(lead: Lead) -> Iterator[_Question]:
    yield _by_key(lead, "Initiating", _CREATIONS)


def _by_key(lead: Lead, role: str, tables: frozenset[str] | None) -> _Question:
    """Ask for a process key in one role; half a key asks for nothing.

    A time that has no more than 10 ms was cut, whatever is known of the device.
    """
    if lead.process_id is None or lead.creation is None:
        return _Question(())
    precision = max(lead.unit, 1 if lead.creation % _CUT else _CUT)
    created = time(f"{role}ProcessCreationTime", lead.creation, precision)
    return _Question((created, number(f"{role}ProcessId", lead.process_id)), tables)


def _file(lead: Lead) -> Iterator[_Question]:
    """Ask by hash, and by path where a row knows no hash; a name counts where nothing else does."""
    hashed = bool(lead.sha256 or lead.sha1)
    for role in ("", "InitiatingProcess"):
        sha256, sha1 = f"{role}SHA256", f"{role}SHA1"
        yield _Question((either_case(sha256, lead.sha256),))
        yield _Question((either_case(sha1, lead.sha1),))
        if lead.folder_path:
            path = either_case(f"{role}FolderPath", lead.folder_path)
            unknown = or_empty(sha256, lead.sha256), or_empty(sha1, lead.sha1)
            yield _Question((path, *(unknown if hashed else ())), rare=False)
        elif not hashed:
            yield _Question((either_case(f"{role}FileName", lead.file_name),), rare=False)
    if not any((hashed, lead.folder_path, lead.file_name)):
        for column in ("ProcessCommandLine", "InitiatingProcessCommandLine"):
            yield _Question((to_the_letter(column, lead.command_line),))


def _ip(lead: Lead) -> Iterator[_Question]:
    yield _Question((either_case("RemoteIP", lead.remote_ip),))


def _url(lead: Lead) -> Iterator[_Question]:
    """Ask for an address, with and without its scheme, and its host; or where a file came from."""
    url = text(lead.remote_url) or ""
    bare = _SCHEME.sub("", url)
    host = _HOST.match(bare)
    yield _Question((either_case("RemoteUrl", url, bare, host and host.group(1)),))
    yield _Question((either_case("FileOriginUrl", url),))


def _registry(lead: Lead) -> Iterator[_Question]:
    yield _Question(
        (
            key("RegistryKey", lead.registry_key),
            either_case("RegistryValueName", lead.registry_value_name),
            either_case("RegistryValueData", lead.registry_value_data),
        ),
        rare=lead.registry_key is not None,
    )


def _account(lead: Lead) -> Iterator[_Question]:
    """Ask for logons by SID, and by name where a row knows no other SID and no other domain."""
    yield _Question((either_case("AccountSid", lead.account_sid),), _LOGONS, rare=False)
    if lead.account_name:
        name = either_case("AccountName", lead.account_name)
        sid = or_empty("AccountSid", lead.account_sid) if lead.account_sid else None
        domain = or_empty("AccountDomain", lead.account_domain) if lead.account_domain else None
        yield _Question((name, domain, sid), _LOGONS, rare=False)


def _device(lead: Lead) -> Iterator[_Question]:
    yield _Question((either_case(DEVICE, *lead.devices),))


_ASKED: Final[dict[str, Callable[[Lead], Iterator[_Question]]]] = {
    "process": _process,
    "ancestors": _ancestors,
    "descendants": _descendants,
    "file": _file,
    "ip": _ip,
    "url": _url,
    "registry_key": _registry,
    "registry_value": _registry,
    "account": _account,
    "device": _device,
}
