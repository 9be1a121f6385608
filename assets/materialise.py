"""Running the job in this process, recorded in the instance that the Dagster UI shows."""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg

from assets.automation import RANGE_END, RANGE_START, daily
from assets.definitions import build, tenant_names
from assets.partitions import DAY
from assets.tenants import ONLY

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: its id, and one line for everything that is not as it should be."""

    run_id: str
    failures: tuple[str, ...]
    doubts: tuple[str, ...]


def first_day() -> date:
    """Return the first day that can be materialised."""
    return DAY.start.date()


def materialise(first: date, last: date, only: str | None = None) -> Outcome:
    """Materialise every asset for the days from `first` to `last`, both included.

    `only` names the one tenant to do it for; without it, all of them.
    """
    definitions = build(names=tenant_names())
    with instance() as recorded:
        result = definitions.resolve_job_def(daily.name).execute_in_process(
            run_config=_QUIET,
            instance=recorded,
            tags={
                RANGE_START: first.isoformat(),
                RANGE_END: last.isoformat(),
                **({ONLY: only} if only else {}),
            },
            raise_on_error=False,
        )
    checks = [check for check in result.get_asset_check_evaluations() if not check.passed]
    grave = [c for c in checks if c.severity == dg.AssetCheckSeverity.ERROR]
    return Outcome(
        result.run_id,
        (*_failed_steps(result), *map(_line, grave)),
        tuple(_line(check) for check in checks if check not in grave),
    )


def instance() -> dg.DagsterInstance:
    """Return the instance of DAGSTER_HOME, else of the folder that has a dagster.yaml."""
    if os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    checkout = Path(__file__).resolve().parent.parent
    home = next((f for f in (Path.cwd(), checkout) if (f / "dagster.yaml").exists()), None)
    return dg.DagsterInstance.from_config(str(home)) if home else dg.DagsterInstance.ephemeral()


def _failed_steps(result: dg.ExecuteInProcessResult) -> list[str]:
    """Return one line for each step that failed: our own words, else the error's last line."""
    lines = []
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            told = data.user_failure_data.description if data.user_failure_data else None
            error = data.error
            lines.append(told or _last_line(str(error.message) if error else str(event.message)))
    if not result.success and not lines:
        lines = [_last_line(str(e.message)) for e in result.all_events if e.is_failure][:1]
    return lines


def _last_line(message: str) -> str:
    line = message.strip().splitlines()[-1]
    if "nterrupted" in line:
        return "interrupted; what was published is whole, run it again for the rest"
    return line


def _line(check: dg.AssetCheckEvaluation) -> str:
    rows = check.metadata.get("rows")
    records = (
        [record.data for record in rows.records] if isinstance(rows, dg.TableMetadataValue) else []
    )
    detail = "; ".join(", ".join(f"{k} {v}" for k, v in record.items()) for record in records[:3])
    more = f" and {len(records) - 3} more" if len(records) > 3 else ""  # noqa: PLR2004
    return f"{check.asset_key.to_user_string()}: {check.check_name} check: {detail}{more}"
