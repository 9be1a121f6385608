"""Truth: which telemetry really belongs to the processes that alerts name.

Known only to the generator, which made both sides; never served and never written.
"""

import polars as pl

from etl.sandbox.cases import BARE
from etl.sandbox.telemetry import World, seen


def processes(named: pl.DataFrame, tables: dict[str, pl.DataFrame], world: World) -> pl.DataFrame:
    """Return what is true of each process item of each alert."""
    created = tables["DeviceProcessEvents"]["_subject"].drop_nulls().unique()
    acting = pl.concat([table["_initiator"] for table in tables.values()]).drop_nulls().unique()
    rows = set(created.to_list())
    acts = set(acting.to_list())
    alike = _alike(world, rows | acts, "name", "sha1", "command")
    unclear = pl.when(Case=BARE).then(_in(_alike(world, rows | acts))).otherwise(_in(alike))
    return named.with_columns(
        HasTelemetry=_in(rows | acts),
        HasCreationRow=_in(rows),
        Decidable=pl.any_horizontal("UsableKey", "HiddenKey") & ~unclear,
    ).drop("_process")


def _in(processes: set[int]) -> pl.Expr:
    """Return whether the process of an item is one of some."""
    return pl.col("_process").is_in(list(processes)).fill_null(value=False)


def _alike(world: World, visible: set[int], *told: str) -> set[int]:
    """Return processes of which another one in telemetry has the key that evidence gives.

    Those that differ in what else is `told` of them are not alike.
    """
    known = world.processes.with_row_index("row").with_columns(key=seen(pl.col("created")))
    same = ("device", "pid", "key", *told)
    shared = known.filter(pl.col("row").is_in(list(visible))).filter(pl.len().over(same) > 1)
    return set(shared["row"].to_list())


def parents(world: World) -> pl.DataFrame:
    """Return who started each process, as precisely as it happened."""
    known = world.processes
    return known.select(
        DeviceId=pl.Series([device.id for device in world.devices]).gather(known["device"]),
        ProcessId="pid",
        ProcessCreationTicks="created",
        ParentProcessId=pl.col("pid").gather(pl.col("parent")),
        ParentProcessCreationTicks=pl.col("created").gather(pl.col("parent")),
        Recorded="recorded",
    )


def events(named: pl.DataFrame, tables: dict[str, pl.DataFrame], world: World) -> pl.DataFrame:
    """Return every event of the named processes, once for each role."""
    wanted = named["_process"].drop_nulls().unique().cast(pl.Int64)
    parts = [
        table.filter(pl.col(column).is_in(wanted.to_list())).select(
            "DeviceId",
            _process=column,
            Role=pl.lit(role),
            EventTable=pl.lit(name),
            TimestampTicks="Timestamp",
            ReportId="ReportId",
        )
        for name, table in tables.items()
        for role, column in (("subject", "_subject"), ("initiator", "_initiator"))
    ]
    found = pl.concat(parts)
    known = world.processes[found["_process"]]
    return found.select(
        "DeviceId",
        ProcessId=known["pid"],
        ProcessCreationTicks=known["created"],
        Role="Role",
        EventTable="EventTable",
        TimestampTicks="TimestampTicks",
        ReportId="ReportId",
    ).sort("TimestampTicks", "EventTable", "ReportId", "Role")
