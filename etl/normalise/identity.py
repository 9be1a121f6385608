"""Identity: one id for the same entity, however and by whichever API it was told.

There is no evidence id in either API. The eight types that both have are identified by what the
columns of AlertEvidence say, so that spelling does not matter; everything else by its content. What
is said about an item (verdict, roles, state) is no part of it, nor is the device it was seen on, as
one API does not tell: only where an alert lists the same entity on several devices it counts.
"""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

from etl.normalise.nesting import SENT
from etl.values import Record, digest, text

_REGISTRY_KEY: Final = ("RegistryKey",)
_FILE: Final = ("FileName", "FolderPath", "SHA1", "SHA256")
_IDENTIFYING: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "processEvidence": (("ProcessId", "ProcessCreationTicks", "ProcessCommandLine", *_FILE),),
    "fileEvidence": (_FILE,),
    "userEvidence": (
        ("AccountName", "AccountDomain", "AccountSid", "AccountObjectId", "AccountUpn"),
    ),
    "ipEvidence": (("RemoteIP",),),
    "urlEvidence": (("RemoteUrl",),),
    "registryKeyEvidence": (_REGISTRY_KEY,),
    "registryValueEvidence": ((*_REGISTRY_KEY, "RegistryValueName", "RegistryValueData"),),
    "deviceEvidence": (("DeviceId",), ("DeviceName",)),
}
"""Evidence type → columns that identify an item of it; the first group with a value decides."""

_SAID_OF_ITEMS: Final = frozenset(
    {
        "createdDateTime", "verdict", "remediationStatus", "remediationStatusDetails", "roles",
        "detailedRoles", "tags", "detectionStatus", "healthStatus", "riskScore", "onboardingStatus",
        "defenderAvStatus", "lastIpAddress", "lastExternalIpAddress", "ipInterfaces",
        "loggedOnUsers", "resourceAccessEvents", "firstSeenDateTime", "version", "osBuild",
        "rbacGroupId", "rbacGroupName", "deliveryAction", "deliveryLocation", "threats",
        "threatDetectionMethods", "emailCount", "endUtcDateTime", "lastModifiedDateTime",
    }
)  # fmt: skip
"""Fields that say something about an item, or about one inside it, without identifying it."""

_OPEN: Final = frozenset({"labels", "selector", "value"})
"""Fields whose keys are somebody's own: they are content as they are."""

_DEVICE: Final = "mdeDeviceId"


def identities(rows: pl.DataFrame, contents: Sequence[Record]) -> pl.Series:
    """Return the id of each row of core/AlertEvidence; `contents` has the rows' items as sent.

    Where items of one alert differ in nothing but their devices, those are part of the ids.
    """
    known = rows.select("EvidenceType", *_COLUMNS).iter_rows(named=True)
    ids = [_identity(row, content) for row, content in zip(known, contents, strict=True)]
    alone = pl.col("DeviceId").drop_nulls().n_unique().over("TenantId", "AlertId", "Id") <= 1
    found = rows.select("TenantId", "AlertId", "DeviceId", Id=pl.Series(ids, dtype=pl.String))
    found = found.with_columns(Alone=alone)
    return pl.Series(
        "EvidenceId",
        [
            one if alone else digest([one, device])
            for one, device, alone in found.select("Id", "DeviceId", "Alone").iter_rows()
        ],
        dtype=pl.String,
    )


def _identity(row: Record, content: Record) -> str:
    kind = row["EvidenceType"]
    for columns in _IDENTIFYING.get(kind, ()):
        known = {name: _plain(name, row[name]) for name in columns if row[name] is not None}
        if known:
            return digest([kind, known])
    return digest([kind, _content(content)])


def _plain(name: str, value: object) -> object:
    """Return a value in the one spelling that all its spellings share."""
    return _SPELLINGS[name](str(value)) if name in _SPELLINGS else value


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value.strip()))
    except ValueError:
        return value.lower()


_SPELLINGS: Final[dict[str, Callable[[str], str]]] = {
    "RemoteIP": _address,
    **dict.fromkeys(
        (
            "SHA1", "SHA256", "AccountName", "AccountDomain", "AccountSid", "AccountObjectId",
            "AccountUpn", "RegistryKey", "DeviceId", "DeviceName",
        ),
        str.lower,
    ),
}  # fmt: skip
_COLUMNS: Final = sorted(
    {name for groups in _IDENTIFYING.values() for group in groups for name in group}
)


def _content(value: object) -> object:
    if isinstance(value, list):
        return [_content(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        key: inner if key in _OPEN else _device(inner) if key == _DEVICE else _content(inner)
        for key, inner in value.items()
        if key not in _SAID_OF_ITEMS and key != SENT and not key.startswith("@odata.")
    }


def _device(value: object) -> str | None:
    return (text(value) or "").strip().lower() or None
