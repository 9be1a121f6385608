"""Made: what the published marts of a day were made of, and which alerts must be correlated anew.

Kept beside the tables, for the next run of the day only: without it, or where anything changed that
all alerts have in common, the whole day is correlated. No mart depends on it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final, Self

import polars as pl

from etl.errors import LakeError
from etl.lake.lake import REMEDY, Lake
from etl.models.components import components
from etl.models.correlation import Learned

_FOLDER: Final = ".made"
_SETTLED: Final = ("no_usable_key", "ambiguous")
"""Reasons for a miss that the passing of time does not change."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one alert beside telemetry: a digest of it, and its devices."""

    digest: str
    devices: list[str]


@dataclass(frozen=True, slots=True)
class Made:
    """What the marts of a day were made of."""

    shared: dict[str, object]
    """What all alerts have in common: rules, parameters, devices, telemetry, how its pull ended."""

    started: str
    """When the pull began: misses are judged by it."""

    alerts: dict[str, Told]
    evidence_sources: list[dict[str, object]]
    event_sources: list[dict[str, object]]
    oldest: list[dict[str, object]]
    marts: dict[str, list[int] | None]
    """The published files, as they were left."""

    @classmethod
    def read(cls, lake: Lake, day: date) -> Self | None:
        """Return what was kept of a day; None where there is nothing, or nothing readable."""
        try:
            kept = json.loads(_path(lake, day).read_text())
            alerts = {alert: Told(**told) for alert, told in kept.pop("alerts").items()}
            return cls(alerts=alerts, **kept)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def keep(self, lake: Lake, day: date) -> None:
        """Keep this for the next run of the day. Raises LakeError."""
        path = _path(lake, day)
        with lake.staging() as folder:
            staged = folder / path.name
            try:
                staged.write_text(json.dumps(asdict(self)))
                path.parent.mkdir(parents=True, exist_ok=True)
                staged.replace(path)
            except OSError as error:
                raise LakeError(path, f"cannot be written ({error.strerror})", REMEDY) from error

    def learning(self, learned: Learned) -> Self:
        """Return this with what was learned."""
        return replace(
            self,
            evidence_sources=learned.evidence_sources.to_dicts(),
            event_sources=learned.event_sources.to_dicts(),
            oldest=learned.oldest.to_dicts(),
        )

    def learned(self) -> Learned:
        """Return what was learned, as frames."""
        sources = {"EventTable": pl.String, "MatchRole": pl.String, "Platform": pl.String}
        return Learned(
            pl.DataFrame(
                self.evidence_sources,
                schema={"Source": pl.String, "Family": pl.String, "Written": pl.Int32},
            ),
            pl.DataFrame(self.event_sources, schema={**sources, "Written": pl.Int32}),
            pl.DataFrame(self.oldest, schema={"Ticks": pl.Int64}),
        )


def forget(lake: Lake, day: date) -> None:
    """Forget what was kept of a day: its marts are about to be replaced. Raises LakeError."""
    path = _path(lake, day)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise LakeError(path, f"cannot be removed ({error.strerror})", REMEDY) from error


def stamp(path: Path) -> list[int] | None:
    """Return what tells a file from a later one at its place; None where there is none."""
    if not path.exists():
        return None
    told = path.stat()
    return [told.st_size, told.st_mtime_ns, told.st_ino]


def affected(
    before: Made | None, now: Made, misses: pl.DataFrame, merged: Mapping[str, Sequence[str]]
) -> set[str] | None:
    """Return the alerts that must be correlated anew; None where all must.

    `misses` are AlertId and Reason of what was not found before; `merged` the other ids of
    machines. An alert that shares a device with one of them is among them, as what one says of a
    process is also told of the other. An alert that is no longer there is, too.
    """
    if before is None or not _alike(before, now):
        return None
    every = before.alerts | now.alerts
    changed = {alert for alert in every if before.alerts.get(alert) != now.alerts.get(alert)}
    if before.started != now.started:
        changed |= set(misses.filter(~pl.col("Reason").is_in(_SETTLED))["AlertId"])
    if not changed:
        return set()
    group = components(_links((before.alerts, now.alerts), merged))
    groups = {group[_alert(alert)] for alert in changed}
    return {alert for alert in every if group[_alert(alert)] in groups}


def _alike(before: Made, now: Made) -> bool:
    same = ("shared", "evidence_sources", "marts")
    return all(getattr(before, name) == getattr(now, name) for name in same)


def _links(
    several: Iterable[Mapping[str, Told]], merged: Mapping[str, Sequence[str]]
) -> Iterable[tuple[str, str]]:
    for alerts in several:
        for alert, told in alerts.items():
            yield _alert(alert), _alert(alert)
            for device in told.devices:
                yield _alert(alert), _device(device)
    for device, others in merged.items():
        for other in others:
            yield _device(device), _device(other)


def _alert(name: str) -> str:
    return f"alert {name}"


def _device(name: str) -> str:
    return f"device {name}"


def _path(lake: Lake, day: date) -> Path:
    return lake.root / _FOLDER / f"tenant={lake.tenant}" / f"{day.isoformat()}.json"
