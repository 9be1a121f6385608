"""Telemetry: hunting rows of ordinary activity, and what every row says of its processes.

Each frame ends in two columns that the service never shows: `_initiator` and `_subject`, the row
numbers of the processes that an event really belongs to. What attacks do is told in `stories`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from etl.sandbox import moments, onboarding
from etl.sandbox.dice import Dice
from etl.sandbox.fleet import Account, Device
from etl.sandbox.onboarding import Anew
from etl.sandbox.processes import Span
from etl.sandbox.tables import conform, empty

HIDDEN = ("_initiator", "_subject")
_REPORTS = 2500


@dataclass(frozen=True, slots=True)
class World:
    """The fleet, all its processes and the time that telemetry covers."""

    devices: list[Device]
    processes: pl.DataFrame
    span: Span
    ordinary: int
    """How many of the processes belong to no attack; they come first."""

    anew: tuple[Anew, ...] = ()

    def device_at(self, device: Device, ticks: int) -> Device:
        """Return a device as it is called at an instant."""
        moved = (one for one in self.anew if one.before.id == device.id)
        return next((one.at(ticks) for one in moved), device)

    def aliases(self) -> dict[str, str]:
        """Return the other id of each id of a device that has two."""
        pairs = [(one.before.id, one.after.id) for one in self.anew]
        return dict(pairs) | {after: before for before, after in pairs}


def seen(created: pl.Expr) -> pl.Expr:
    """Return a creation time as others see it: Linux cuts it to 10 ms."""
    cut = created // moments.CENTISECOND * moments.CENTISECOND
    return pl.when(pl.col("platform") == "linux").then(cut).otherwise(created)


def _accounts(world: World) -> pl.DataFrame:
    rows: list[Account] = []
    for device in world.devices:
        rows += [device.system_account, device.user]
    return pl.DataFrame(
        {
            "AccountDomain": [row.domain for row in rows],
            "AccountName": [row.name for row in rows],
            "AccountSid": [row.sid for row in rows],
            "AccountUpn": [row.upn for row in rows],
            "AccountObjectId": [row.object_id for row in rows],
        },
        schema_overrides=dict.fromkeys(("AccountSid", "AccountUpn", "AccountObjectId"), pl.String),
    )


def subjects(world: World) -> pl.DataFrame:
    """Return, for every process, the columns that its own creation row says of it."""
    processes = world.processes
    windows = pl.col("platform") == "windows"
    account = _accounts(world)[
        processes.select(pl.col("device") * 2 + pl.col("as_user").cast(pl.Int64)).to_series()
    ]
    unique = (
        pl.when(windows)
        .then(pl.col("device") % 7 * 2**51 + pl.int_range(pl.len()) + 1_000_003)
        .when(pl.col("platform") == "macos")
        .then(0)
        .otherwise(pl.int_range(pl.len()) + 17)
    )
    described = processes.select(
        FileName="name",
        FolderPath="path",
        SHA1="sha1",
        SHA256="sha256",
        MD5="md5",
        FileSize="size",
        ProcessVersionInfoCompanyName="company",
        ProcessVersionInfoProductName="product",
        ProcessVersionInfoProductVersion=pl.when(pl.col("product").is_not_null()).then(
            pl.lit("10.0.26100.1")
        ),
        ProcessVersionInfoOriginalFileName=pl.when(windows).then(pl.col("name")),
        ProcessId="pid",
        ProcessCommandLine="command",
        ProcessIntegrityLevel=pl.when(windows).then(
            pl.when("as_user").then(pl.lit("Medium")).otherwise(pl.lit("System"))
        ),
        ProcessTokenElevation=pl.when("as_user")
        .then(pl.lit("TokenElevationTypeLimited"))
        .otherwise(pl.lit("TokenElevationTypeDefault")),
        ProcessCreationTime="created",
        LogonId=pl.when("as_user").then(pl.col("device") * 1_000 + 88_123).otherwise(999),
        SessionId=pl.col("as_user").cast(pl.Int64),
        UniqueId=pl.when(pl.col("device") % 11 != 10).then(unique.cast(pl.String)),  # noqa: PLR2004
    )
    return described.hstack(account)


def initiators(world: World, own: pl.DataFrame) -> pl.DataFrame:
    """Return, for every process, the columns of a row that this process initiated."""
    processes = world.processes.with_columns(seen=seen(pl.col("created")))
    parent = processes.select(
        pl.col("name", "pid", "seen").gather(pl.col("parent")).name.prefix("parent_")
    )
    windows = pl.col("platform") == "windows"
    path = pl.when(windows).then(pl.col("path").str.to_lowercase()).otherwise(pl.col("path"))
    name = pl.when(windows).then(pl.col("name").str.to_lowercase()).otherwise(pl.col("name"))
    extra = processes.hstack(parent).select(
        InitiatingProcessFileName=name,
        InitiatingProcessFolderPath=path,
        InitiatingProcessCreationTime="seen",
        InitiatingProcessParentId=pl.col("parent_pid").fill_null(0),
        InitiatingProcessParentFileName="parent_name",
        InitiatingProcessParentCreationTime="parent_seen",
        InitiatingProcessSignerType=pl.when(windows).then(pl.lit("OsVendor")),
        InitiatingProcessSignatureStatus=pl.when(windows).then(pl.lit("Valid")),
        IsInitiatingProcessRemoteSession=pl.lit(value=False),
    )
    skipped = ("FileName", "FolderPath", "ProcessCreationTime")
    renamed = {
        column: f"InitiatingProcess{column.removeprefix('Process')}"
        for column in own.columns
        if column not in skipped
    }
    return own.drop(skipped).rename(renamed).hstack(extra)


class Scribe:
    """Writes hunting rows: completes what happened with who did it, and where."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._own = subjects(world)
        self._by = initiators(world, self._own)
        self._machines = pl.DataFrame(
            {
                "DeviceId": [device.id for device in world.devices],
                "DeviceName": [device.name for device in world.devices],
            }
        )

    def write(self, table: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Complete rows that have `_initiator`, `Timestamp` and columns of their own."""
        initiator = rows["_initiator"]
        by = self._by[initiator]
        machine = self._machines[self.world.processes["device"].gather(initiator)]
        known = machine.hstack(by.drop(set(by.columns) & set(rows.columns)))
        full = known.hstack(rows.drop(set(known.columns) & set(rows.columns)))
        if "_subject" not in full.columns:
            full = full.with_columns(_subject=pl.lit(None, dtype=pl.Int64))
        return conform(full, table, keep=HIDDEN)

    def creations(self, dice: Dice, first: int = 0, end: int | None = None) -> pl.DataFrame:
        """Return a creation row for every process that is recorded, of some or of all."""
        processes = self.world.processes
        wanted = pl.col("recorded") & pl.int_range(pl.len()).is_between(
            first, len(processes) if end is None else end, closed="left"
        )
        index = processes.select(pl.arg_where(wanted)).to_series().cast(pl.Int64)
        own = self._own[index]
        chosen = processes[index]
        late = dice.integers(0, 200_000, len(index)) * (chosen["platform"] == "windows")
        rows = own.rename(
            {"SessionId": "CreatedProcessSessionId", "UniqueId": "ProcessUniqueId"}
        ).with_columns(
            Timestamp=chosen["created"] + late,
            ActionType=pl.lit("ProcessCreated"),
            AdditionalFields=pl.when(chosen["platform"] == "linux").then(
                pl.lit('{"InitiatingProcessPosixProcessGroupId":1}')
            ),
            IsProcessRemoteSession=pl.lit(value=False),
            _initiator=chosen["parent"],
            _subject=index,
        )
        return self._with_orphans(rows)

    def _with_orphans(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Write rows of which some have no known initiator: pid 0 and nothing else."""
        known = self.write("DeviceProcessEvents", rows.filter(pl.col("_initiator").is_not_null()))
        orphans = rows.filter(pl.col("_initiator").is_null())
        machine = self._machines[self.world.processes["device"].gather(orphans["_subject"])]
        alone = machine.hstack(orphans).with_columns(InitiatingProcessId=pl.lit(0))
        return pl.concat([known, conform(alone, "DeviceProcessEvents", keep=HIDDEN)])


def finished(frames: list[pl.DataFrame], table: str, anew: Sequence[Anew]) -> pl.DataFrame:
    """Put the rows of a table in order of time and number them as each device's sensor does.

    Rows are under the id that their device has by then.
    """
    if not frames:
        return empty(table).with_columns(**dict.fromkeys(HIDDEN, pl.lit(None, dtype=pl.Int64)))
    device = onboarding.called(anew, pl.col("DeviceId"), pl.col("Timestamp"))
    rows = pl.concat(frames).with_columns(DeviceId=device)
    rows = rows.sort("Timestamp", "DeviceId", maintain_order=True)
    number = pl.int_range(pl.len()).over("DeviceId") % _REPORTS + 1
    return rows.with_columns(ReportId=number)
