"""The tenants of a run: each of them in turn, and one that fails stalls no other.

With one tenant a failure fails the step, as anywhere. With several it is noted on the run, the
tenant is left out of the steps that follow, and its own check fails; the step fails only when it
failed for all. A tenant whose quota is used up has not failed: the others are done first, then the
step is run again, in which those that were done find nothing left to do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Final

import dagster as dg

from assets.failures import RETRIES, as_dagster
from etl.errors import EtlError, Throttled
from etl.lake import engine
from etl.settings import Settings
from etl.stages.report import Report
from etl.tenant import Tenant

ONLY: Final = "defender/tenant"
"""Run tag that names the one tenant a run is for; without it, all of them."""

_FAILED: Final = "defender/failed/"
"""Run tags that say which tenants failed, why, and in which run."""

_IN_RUN: Final = " in run "

Stage = Callable[[Tenant, Sequence[date]], Mapping[date, Mapping[str, Report]]]
"""Does its work for one tenant and some days; returns a report a day and table."""

Done = dict[str, dict[str, dict[str, Report]]]
"""Table → partition key → tenant → what a stage did."""


@dataclass(frozen=True, slots=True)
class Tenants:
    """Every tenant that the settings name."""

    every: tuple[Tenant, ...]

    def of_run(self, tags: Mapping[str, str]) -> list[Tenant]:
        """Return the tenants that a run with some tags is for."""
        only = tags.get(ONLY)
        chosen = [tenant for tenant in self.every if only in {None, tenant.name}]
        if not chosen:
            raise dg.Failure(f"no tenant is named {only!r}; see DEFENDER_SETTINGS")
        return chosen

    def each(self, context: dg.AssetExecutionContext, stage: Stage) -> Done:
        """Run a stage over the run's days for each tenant that did not fail before."""
        days = [date.fromisoformat(key) for key in context.partition_keys]
        tenants = self.of_run(context.run.tags)
        failed = failures(context.instance, context.run.run_id)
        done: Done = {}
        waiting: list[float] = []
        for tenant in tenants:
            if tenant.name in failed:
                continue
            try:
                reports = stage(tenant, days)
            except EtlError as error:
                if len(tenants) == 1:
                    with as_dagster():
                        raise
                context.log.warning("%s: %s", tenant.name, error)
                if isinstance(error, Throttled) and context.retry_number < RETRIES:
                    waiting.append(error.retry_after)
                    continue
                failed[tenant.name] = str(error)
                note(context.instance, context.run.run_id, tenant.name, str(error))
                continue
            for day, tables in reports.items():
                for table, report in tables.items():
                    done.setdefault(table, {}).setdefault(str(day), {})[tenant.name] = report
        if waiting:
            raise dg.RetryRequested(RETRIES, seconds_to_wait=min(waiting))
        if len(failed) == len(tenants):
            told = "; ".join(f"{name}: {why}" for name, why in failed.items())
            raise dg.Failure(told, allow_retries=False)
        return done


def note(instance: dg.DagsterInstance, run_id: str, tenant: str, why: str) -> None:
    """Mark a run as one in which a tenant failed."""
    instance.add_run_tags(run_id, {_FAILED + tenant: f"{why}{_IN_RUN}{run_id}"})


def failures(instance: dg.DagsterInstance, run_id: str) -> dict[str, str]:
    """Return the tenants that failed in a run so far, and why.

    A run that is executed again begins with the tags of the one before, which do not count.
    """
    run = instance.get_run_by_id(run_id)
    told = {tag: value.rpartition(_IN_RUN) for tag, value in (run.tags if run else {}).items()}
    return {
        tag.removeprefix(_FAILED): why
        for tag, (why, _, where) in told.items()
        if tag.startswith(_FAILED) and where == run_id
    }


def check_name(tenant: str) -> str:
    """Return the name of a tenant's own check."""
    return "tenant_" + tenant.replace("-", "_").replace(".", "_")


@contextmanager
def connected(environment: Mapping[str, str]) -> Iterator[Tenants]:
    """Lend the tenants that an environment names, and close their connections afterwards.

    Raises ConfigError.
    """
    with ExitStack() as stack:
        settings = Settings.every(environment)
        engine.limit(settings[0].memory_mb)
        yield Tenants(tuple(stack.enter_context(Tenant.connect(one)) for one in settings))
