"""Pivots: which telemetry truly is about the things that alerts name, where no process key tells.

Known to the generator, which knows the image and the device behind every row; never served. What an
alert names is read from its items, when it was active from its own text, as whoever reads it must.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from etl.sandbox import literals, moments
from etl.sandbox.alerts import Alert
from etl.sandbox.evidence import Item
from etl.sandbox.telemetry import HIDDEN, World

NEAR: Final = moments.HOUR
WIDE: Final = 24 * moments.HOUR

_KINDS: Final = {
    "fileEvidence": "file", "ipEvidence": "ip", "urlEvidence": "url",
    "registryKeyEvidence": "registry_key", "registryValueEvidence": "registry_value",
    "userEvidence": "account", "deviceEvidence": "device", "processEvidence": "file",
}  # fmt: skip
_ABOUT_DEVICES: Final = {"deviceEvidence", "userEvidence"}
_SCHEMA: Final = {
    "AlertId": pl.String, "EvidenceIndex": pl.Int64, "Kind": pl.String, "HasTarget": pl.Boolean,
    "HasWideTarget": pl.Boolean,
}  # fmt: skip
_TARGETS: Final = {
    "AlertId": pl.String, "EvidenceIndex": pl.Int64, "Role": pl.String, "EventTable": pl.String,
    "DeviceId": pl.String, "TimestampTicks": pl.Int64, "ReportId": pl.Int64,
}  # fmt: skip
_ITEM: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "AlertId": pl.String, "EvidenceIndex": pl.Int64, "Kind": pl.String,
    "Devices": pl.List(pl.String), "Start": pl.Int64, "End": pl.Int64,
    "Values": pl.List(pl.String),
}  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pivots:
    """The truth about items without a process key: a row for each, and the events of each."""

    items: pl.DataFrame
    targets: pl.DataFrame

    @classmethod
    def empty(cls) -> "Pivots":
        """Return the truth about nothing."""
        return cls(pl.DataFrame(schema=_SCHEMA), pl.DataFrame(schema=_TARGETS))

    @classmethod
    def find(
        cls,
        alerts: list[Alert],
        keyed: set[tuple[str, int]],
        tables: Mapping[str, pl.DataFrame],
        world: World,
    ) -> "Pivots":
        """Look for what alerts name; items in `keyed`, by alert and position, have a process key.

        `tables` are those of the scribe, which say what process each row is about.
        """
        items = pl.DataFrame(list(_items(alerts, keyed)), schema=_ITEM, orient="row")
        key = ["AlertId", "EvidenceIndex"]
        places = _places(items, world)
        values = items.select(*key, "Kind", Value="Values").explode("Value")
        slim = {name: _slim(table) for name, table in tables.items()}
        wide = pl.concat(
            _within(places, values.filter(Kind=kind), facts, WIDE)
            for kind in items["Kind"].unique().sort()
            for facts in _facts(kind, values.filter(Kind=kind)["Value"].unique(), slim, world)
        )
        wide = wide.filter(pl.col("Other") == pl.col("Other").min().over(key)).drop("Other")
        near = wide.filter("Near").drop("Near").unique().sort(pl.all())
        known = items.select(*key, "Kind").with_row_index("Place")
        for name, found in (("HasTarget", near), ("HasWideTarget", wide)):
            has = found.select(key).unique().with_columns(pl.lit(value=True).alias(name))
            known = known.join(has, on=key, how="left")
        truth = (
            known.sort("Place")
            .drop("Place")
            .with_columns(pl.col("HasTarget", "HasWideTarget").fill_null(value=False))
        )
        return cls(truth, near.select(*_TARGETS))


def _places(items: pl.DataFrame, world: World) -> pl.DataFrame:
    """Return where to look for items; what their devices are called at other times comes second."""
    named = items.select("AlertId", "EvidenceIndex", "Kind", "Start", "End", "Devices")
    own = named.explode("Devices").with_columns(Other=pl.lit(value=False))
    pairs = pl.DataFrame(
        list(world.aliases().items()), schema={"Devices": pl.String, "Id": pl.String}, orient="row"
    )
    others = own.join(pairs, on="Devices").with_columns(Devices="Id", Other=pl.lit(value=True))
    return pl.concat([own, others.select(own.columns)])


def _within(
    places: pl.DataFrame, values: pl.DataFrame, facts: pl.DataFrame, reach: int
) -> pl.DataFrame:
    """Return the facts about items that are in reach of them, and whether they are near."""
    asked = values.join(places, on=["AlertId", "EvidenceIndex", "Kind"])
    joined = asked.join(facts, on="Value").filter(
        pl.col("Devices").is_null() | (pl.col("Devices") == pl.col("DeviceId")),
        pl.col("Timestamp").is_between(pl.col("Start") - reach, pl.col("End") + reach),
    )
    near = pl.col("Timestamp").is_between(pl.col("Start") - NEAR, pl.col("End") + NEAR)
    return joined.select(
        "AlertId", "EvidenceIndex", "Role", "EventTable", "DeviceId", "ReportId", "Other",
        TimestampTicks="Timestamp", Near=near,
    )  # fmt: skip


def _items(alerts: list[Alert], keyed: set[tuple[str, int]]) -> Iterator[tuple[object, ...]]:
    """Yield every item that names something, with where and when to look for which values."""
    for alert in alerts:
        evidence = alert["evidence"]
        if not alert["id"] or not isinstance(evidence, list):
            continue
        kinds = [str(item["@odata.type"]).rpartition(".")[2] for item in evidence]
        only_devices = set(kinds) <= _ABOUT_DEVICES
        devices = sorted({device for item in evidence for device in _device(item)})
        start, end = (_ticks(alert, f"{name}ActivityDateTime") for name in ("first", "last"))
        for index, (kind, item) in enumerate(zip(kinds, evidence, strict=True)):
            if kind not in _KINDS or (str(alert["id"]), index) in keyed:
                continue
            if kind == "deviceEvidence" and not only_devices:
                continue
            where: list[str | None] = [*(_device(item) or devices)] or [None]
            yield (alert["id"], index, _KINDS[kind], where, start, end, _values(kind, item))


def _ticks(alert: Alert, name: str) -> int:
    return literals.instant(str(alert[name])) + moments.UNIX_EPOCH


def _device(item: Item) -> list[str]:
    device = item.get("mdeDeviceId")
    return [str(device).lower()] if device else []


def _values(kind: str, item: Row) -> list[str]:
    """Return the spellings of what an item names; each begins with what it is a spelling of."""
    match kind:
        case "fileEvidence":
            found = _file(item["fileDetails"])
        case "processEvidence":
            found = _file(item["imageFile"])
        case "ipEvidence":
            found = [f"ip {item['ipAddress']}"]
        case "urlEvidence":
            found = _url(str(item["url"]).lower())
        case "registryKeyEvidence":
            found = [f"key {_key(item)}"]
        case "registryValueEvidence":
            found = [f"value {_key(item)} {str(item['registryValueName']).lower()}"]
        case "userEvidence":
            found = _account(item["userAccount"])
        case _:
            found = [f"device {device}" for device in _device(item)]
    return found


def _url(url: str) -> list[str]:
    """Spell a URL as a whole, and by its host with and without a port."""
    host = url.partition("://")[2].partition("/")[0]
    return sorted({f"url {url}", f"url {host}", f"url {host.partition(':')[0]}"})


def _file(details: Row) -> list[str]:
    """Spell a file by its path and by its hashes."""
    folder, name = str(details["filePath"]), str(details["fileName"])
    between = "" if folder.endswith(("/", "\\")) or not folder else "\\" if "\\" in folder else "/"
    hashes = [f"{one} {details[one]}" for one in ("sha1", "sha256") if details[one]]
    return [f"path {folder}{between}{name}".lower(), *hashes]


def _key(item: Row) -> str:
    return f"{item['registryHive']}\\{item['registryKey']}".lower()


def _account(account: Row) -> list[str]:
    name = str(account["accountName"]).lower()
    domain = account["domainName"]
    whole = f"account {str(domain).lower()}\\{name}" if domain else f"name {name}"
    return [whole, *([f"sid {account['userSid']}"] if account["userSid"] else [])]


def _slim(table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are about some process, and their columns that can be about things."""
    return table.select(
        column for column in table.columns if column in (*_KEYS, *_COLUMNS, *HIDDEN)
    ).filter(pl.any_horizontal(pl.col(*HIDDEN).is_not_null()))


def _facts(
    kind: str, values: pl.Series, tables: Mapping[str, pl.DataFrame], world: World
) -> Iterator[pl.DataFrame]:
    """Yield the rows of every table that are about some of the values."""
    images = _images(values, world) if kind == "file" else None
    for name, table in tables.items():
        for prefix, spelling in _spellings(kind, table.columns):
            yield _about(table.with_columns(Spelling=spelling), prefix, values).select(
                *_KEYS, "Value", EventTable=pl.lit(name), Role=pl.lit("subject")
            )
        if images is not None:
            yield (
                table.select(*_KEYS, "_initiator")
                .join(images, on="_initiator")
                .select(*_KEYS, "Value", EventTable=pl.lit(name), Role=pl.lit("initiator"))
            )


def _images(values: pl.Series, world: World) -> pl.DataFrame:
    """Return the processes whose image is one of the values."""
    known = world.processes.select(
        _initiator=pl.int_range(pl.len()), Spelling=pl.col("path").str.to_lowercase()
    )
    return _about(known, "path", values).drop("Spelling")


def _about(rows: pl.DataFrame, prefix: str, values: pl.Series) -> pl.DataFrame:
    """Return the rows whose `Spelling` is that of a value with a prefix."""
    wanted = pl.DataFrame({"Value": values}).filter(pl.col("Value").str.starts_with(f"{prefix} "))
    wanted = wanted.with_columns(Spelling=pl.col("Value").str.slice(len(prefix) + 1))
    return rows.join(wanted, on="Spelling")


def _spellings(kind: str, columns: list[str]) -> Iterator[tuple[str, pl.Expr]]:
    """Yield how rows with these columns spell things of a kind."""
    lower = {name: pl.col(name).str.to_lowercase() for name in columns if name in _COLUMNS}
    if kind == "file" and "FolderPath" in lower:
        yield "path", lower["FolderPath"]
        yield "sha1", lower["SHA1"]
        yield "sha256", lower["SHA256"]
    if kind == "ip" and "RemoteIP" in lower:
        yield "ip", lower["RemoteIP"]
    if kind == "url":
        for name in ("RemoteUrl", "FileOriginUrl"):
            if name in lower:
                yield "url", lower[name]
    if kind.startswith("registry") and "RegistryKey" in lower:
        key = lower["RegistryKey"].str.replace(r"^(hkey_current_user\\)s-1-[0-9-]+\\", "$1")
        yield "key", key
        yield "value", key + " " + lower["RegistryValueName"]
    if kind == "account" and "LogonType" in columns:
        yield "sid", pl.col("AccountSid")
        yield "name", lower["AccountName"]
        yield "account", lower["AccountDomain"] + "\\" + lower["AccountName"]
    if kind == "device":
        yield "device", pl.col("DeviceId")


_KEYS: Final = ("DeviceId", "Timestamp", "ReportId")
_COLUMNS: Final = (
    "FolderPath", "SHA1", "SHA256", "RemoteIP", "RemoteUrl", "FileOriginUrl", "RegistryKey",
    "RegistryValueName", "LogonType", "AccountName", "AccountDomain", "AccountSid",
)  # fmt: skip
"""Columns of text that say what a row is about."""
