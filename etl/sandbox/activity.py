"""Activity: what ordinary processes do all day, by table and by column.

Connections, files, registry values, images, sign-ins and other events that mean no harm.
"""

from collections.abc import Callable

import polars as pl

from etl.sandbox import moments
from etl.sandbox.dice import Dice
from etl.sandbox.telemetry import World

PER_DEVICE_DAY = {
    "DeviceNetworkEvents": 330,
    "DeviceFileEvents": 300,
    "DeviceRegistryEvents": 160,
    "DeviceImageLoadEvents": 160,
    "DeviceLogonEvents": 40,
    "DeviceEvents": 110,
}
"""About how many rows a device sends; registry and images are of Windows only."""

_WINDOWS_ONLY = ("DeviceRegistryEvents", "DeviceImageLoadEvents")
_HOSTS = [
    "www.example.com",
    "login.example.net",
    "cdn.example.org",
    "updates.example.com",
    "mail.contoso.example",
    "intranet.contoso.local",
    "telemetry.example.net",
    "packages.example.org",
    "git.contoso.local",
]
_RUN = "HKEY_CURRENT_USER\\S-1-5-21-1\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\"
_KEYS = [f"{_RUN}{leaf}" for leaf in ("Run", "Explorer\\RecentDocs", "Internet Settings", "Search")]
_MODULES = [
    "ntdll.dll",
    "kernel32.dll",
    "user32.dll",
    "combase.dll",
    "clr.dll",
    "amsi.dll",
    "rpcrt4.dll",
]
_EVENTS = {
    "windows": [
        "PowerShellCommand",
        "DnsQueryResponse",
        "NamedPipeEvent",
        "GetClipboardData",
        "LdapSearch",
        "ScreenshotTaken",
        "NtAllocateVirtualMemoryApiCall",
        "ScheduledTaskUpdated",
    ],
    "linux": ["PTraceDetected", "ScriptContent", "DnsQueryResponse"],
    "macos": ["PlistPropertyModified", "ScriptContent", "DnsQueryResponse"],
}


def ordinary(table: str, world: World, dice: Dice) -> pl.DataFrame:
    """Return a day's work of the fleet in one table, for every day: rows for the scribe."""
    rows = _moments(table, world, dice)
    return _MAKERS[table](rows, dice)


def _moments(table: str, world: World, dice: Dice) -> pl.DataFrame:
    """Draw which process acts when; the platform stays with the row."""
    machines = [
        device.index
        for device in world.devices
        if table not in _WINDOWS_ONLY or device.platform == "windows"
    ]
    processes = world.processes[: world.ordinary]
    able = processes.select(pl.arg_where(pl.col("device").is_in(machines))).to_series()
    initiator = dice.choose(
        able.cast(pl.Int64), PER_DEVICE_DAY[table] * len(machines) * world.span.days
    )
    count = len(initiator)
    wait = (dice.exponential(900, count) * moments.SECOND).cast(pl.Int64) + 50_000
    latest = world.span.end - dice.integers(1, moments.MINUTE, count)
    ticks = pl.min_horizontal(pl.col("created") + wait, latest)
    whole = ticks // moments.MICROSECOND * moments.MICROSECOND
    fine = pl.col("platform") == "windows"
    return processes[initiator].select(
        "platform", Timestamp=pl.when(fine).then(ticks).otherwise(whole), _initiator=initiator
    )


def _addresses(dice: Dice, first: str, count: int) -> pl.Series:
    pool = [f"{first}.{a}.{b}" for a in range(16) for b in range(1, 250, 3)]
    return dice.choose(pool, count)


def _network(rows: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    count = len(rows)
    inside = dice.chance(0.25, count)
    host = dice.choose(_HOSTS, count)
    actions = ["ConnectionSuccess"] * 8 + [
        "ConnectionFailed",
        "ConnectionRequest",
        "DnsConnectionInspected",
    ]
    return rows.select(
        "Timestamp",
        "_initiator",
        ActionType=dice.choose(actions, count),
        RemoteIP=pl.when(inside)
        .then(_addresses(dice, "10.9", count))
        .otherwise(_addresses(dice, "198.51", count)),
        RemotePort=pl.Series([443, 443, 443, 80, 53, 8080, 445]).gather(dice.integers(0, 7, count)),
        RemoteUrl=pl.when(dice.chance(0.7, count)).then(host),
        LocalIP=_addresses(dice, "10.20", count),
        LocalPort=dice.integers(49_152, 65_535, count),
        Protocol=pl.lit("Tcp"),
        LocalIPType=pl.lit("Private"),
        RemoteIPType=pl.when(inside).then(pl.lit("Private")).otherwise(pl.lit("Public")),
    )


def _files(rows: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    count = len(rows)
    number = dice.integers(1, 9_000, count).cast(pl.String)
    name = number.str.zfill(4) + dice.choose([".tmp", ".docx", ".log", ".json", ".dat"], count)
    windows = pl.col("platform") == "windows"
    folder = (
        pl.when(windows).then(pl.lit("C:\\Users\\Public\\Work\\f")).otherwise(pl.lit("/srv/work/f"))
    )
    digests = [f"{value:040x}" for value in range(3, 2**34, 2**26)]
    return rows.select(
        "Timestamp",
        "_initiator",
        ActionType=dice.choose(
            ["FileCreated", "FileCreated", "FileModified", "FileRenamed", "FileDeleted"], count
        ),
        FileName=pl.lit("f") + name,
        FolderPath=folder + name,
        SHA1=dice.choose(digests, count),
        FileSize=dice.integers(0, 5_000_000, count),
        RequestProtocol=pl.lit("Local"),
        AdditionalFields=pl.when(windows).then(pl.lit('{"FileType":"Unknown"}')),
    )


def _registry(rows: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    count = len(rows)
    return rows.select(
        "Timestamp",
        "_initiator",
        ActionType=dice.choose(
            ["RegistryValueSet"] * 4 + ["RegistryKeyCreated", "RegistryValueDeleted"], count
        ),
        RegistryKey=dice.choose(_KEYS, count),
        RegistryValueType=pl.lit("String"),
        RegistryValueName=dice.choose(["MRUListEx", "ProxyEnable", "OneDrive", ""], count),
        RegistryValueData=dice.choose(["0", "1", "%LOCALAPPDATA%\\app.exe /background"], count),
    )


def _images(rows: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    name = dice.choose(_MODULES, len(rows))
    return rows.select(
        "Timestamp",
        "_initiator",
        ActionType=pl.lit("ImageLoaded"),
        FileName=name,
        FolderPath=pl.lit("C:\\Windows\\System32\\") + name,
        SHA1=pl.lit("a" * 40),
        FileSize=dice.integers(10_000, 2_000_000, len(rows)),
    )


def _logons(rows: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    count = len(rows)
    failed = dice.chance(0.08, count)
    kinds = [
        "Interactive",
        "Network",
        "Service",
        "Unlock",
        "RemoteInteractive",
        "CachedInteractive",
    ]
    return rows.select(
        "Timestamp",
        "_initiator",
        ActionType=pl.when(failed).then(pl.lit("LogonFailed")).otherwise(pl.lit("LogonSuccess")),
        LogonType=pl.when(pl.col("platform") == "macos")
        .then(pl.lit("Local"))
        .otherwise(dice.choose(kinds, count)),
        AccountDomain=pl.lit("contoso"),
        AccountName=dice.choose(["ada.brook", "chen.wei", "svc-backup", "hana.sato"], count),
        Protocol=pl.lit("Negotiate"),
        FailureReason=pl.when(failed).then(pl.lit("InvalidUserNameOrPassword")),
        IsLocalAdmin=dice.chance(0.1, count),
        LogonId=dice.integers(10_000, 9_000_000, count),
        RemoteIP=_addresses(dice, "10.9", count),
        RemoteIPType=pl.lit("Private"),
        RemotePort=dice.integers(49_152, 65_535, count),
    )


def _others(rows: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    count = len(rows)
    action = pl.lit(None, dtype=pl.String)
    for platform, names in _EVENTS.items():
        action = (
            pl.when(pl.col("platform") == platform)
            .then(dice.choose(names, count))
            .otherwise(action)
        )
    fields = [
        '{"Command":"Get-Date"}',
        '{"DnsQueryString":"www.example.com"}',
        '{"cut":"off he',
        None,
    ]
    return rows.select(
        "Timestamp",
        "_initiator",
        ActionType=action,
        AdditionalFields=pl.Series(fields).gather(dice.integers(0, len(fields), count)),
    )


_MAKERS: dict[str, Callable[[pl.DataFrame, Dice], pl.DataFrame]] = {
    "DeviceNetworkEvents": _network,
    "DeviceFileEvents": _files,
    "DeviceRegistryEvents": _registry,
    "DeviceImageLoadEvents": _images,
    "DeviceLogonEvents": _logons,
    "DeviceEvents": _others,
}
