"""What a pull would cost, as a table: by day, the calls, rows and minutes to expect."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from etl.stages.forecast import Forecast

_COLUMNS = (
    "Alerts", "Evidence", "Devices", "Rows", "To pull", "Counting", "Slices", "Other calls",
    "Calls", "Minutes",
)  # fmt: skip


def show(tenant: str, forecasts: Sequence[Forecast]) -> None:
    """Print the forecasts of a tenant's days, and what they come to."""
    console = Console()
    title = f"{tenant}: what hunting would cost (days are UTC)"
    table = Table(title=title, title_justify="left")
    table.add_column("Day")
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    for one in forecasts:
        table.add_row(str(one.day), *_row(one))
    console.print(table)
    calls = sum(one.calls for one in forecasts)
    evidence = sum(one.evidence for one in forecasts)
    rate = forecasts[0].rate
    told = (
        f"About {calls} hunting calls in all, at most {rate} a minute; "
        f"one query for each evidence item would be {evidence}."
    )
    others = "Other calls are two for what hunting says of the alerts, and about so many hunts."
    for line in (told, others):
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _row(one: Forecast) -> list[str]:
    counted = sum(one.plan.counts.total(t) or 0 for t in one.plan.counts.cells) if one.plan else 0
    rows = one.plan.rows if one.plan else 0
    numbers = (
        one.alerts, one.evidence, one.devices, counted, rows, one.counts, one.slices, one.others,
        one.calls,
    )  # fmt: skip
    return [*(f"{number:,}" for number in numbers), f"{one.minutes:.1f}"]
