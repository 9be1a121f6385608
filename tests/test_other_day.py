"""A service that does not keep to the day that was asked for."""

from datetime import date
from pathlib import Path

from runs import table

from etl.access.client import Answer
from etl.lake.lake import Lake
from etl.sources.graph import GraphAlerts
from etl.stages import alerts, model

DAY = date(2026, 1, 2)


class Careless:
    """A stand-in for the client whose service passes over the filter."""

    def get(self, url: str, what: str, headers: dict[str, str]) -> Answer:
        """Answer with one alert of the day and one of another."""
        assert url
        assert what
        assert headers
        records = [
            {"id": "da1", "createdDateTime": "2026-01-02T03:04:05Z", "evidence": None},
            {"id": "da2", "createdDateTime": "2026-01-05T03:04:05Z"},
        ]
        return Answer({"value": records}, "request", 100, 1, 0)


def test_an_alert_of_another_day_is_quarantined_under_its_rule(tmp_path: Path) -> None:
    """What belongs to another day is turned away whole, and the reason is the day."""
    lake = Lake(tmp_path, "t")
    source = GraphAlerts(Careless())  # type: ignore[arg-type]
    pulled = alerts.pull(source, lake, [DAY], 0)[DAY]
    reports = model.publish(lake, DAY)
    rejected = table(tmp_path, "ops", "Quarantine")

    assert pulled.adds_up
    assert all(report.adds_up for report in reports.values())
    assert table(tmp_path, "core", "Alerts")["AlertId"].to_list() == ["da1"]
    assert rejected["Rule"].to_list() == ["created on the day asked for"]
    assert "2026-01-05" in rejected["Detail"].item()
