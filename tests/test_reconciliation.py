"""Three accounts of a day's alerts: what one of them names and the lake lacks gets its reason."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from queues import DAY, LISTING, NOON, OVERLAP, Queue, alert, lake_of, queue

from etl import ticks
from etl.contracts import core
from etl.contracts.hunting import hunting
from etl.contracts.ops import QUARANTINE, RECONCILIATION
from etl.lake.lake import Lake
from etl.stages import alerts, model, reconciliation
from etl.stages.reconciliation import ASKED_BY_NAME
from etl.stages.report import Report

NEXT = DAY + timedelta(days=1)
TOMORROW = NOON + ticks.PER_DAY


@pytest.fixture(scope="module")
def served() -> Iterator[Queue]:
    """Serve a queue whose alerts each test puts there."""
    with queue([]) as served:
        yield served


@pytest.fixture
def lake(served: Queue, tmp_path: Path) -> Lake:
    """Return a lake with two alerts of the day, which the service has and hunting names."""
    served.alerts[:] = [alert("known1"), alert("known2")]
    lake = lake_of(tmp_path, served)
    make(served, lake, DAY)
    name(lake, "known1", "known2")
    return lake


def make(served: Queue, lake: Lake, day: date) -> None:
    """Pull a day and publish its alerts."""
    alerts.pull(served.source, lake, [day], OVERLAP)
    model.publish(lake, day)


def name(lake: Lake, *ids: str, moment: int = NOON) -> None:
    """Let hunting's AlertInfo name some alerts, beside those that it names."""
    info, now = hunting("AlertInfo"), datetime.now(UTC)
    rows = [
        {"TenantId": lake.tenant, "AlertId": identity, "Title": f"Title of {identity}",
         "Timestamp": ticks.to_datetime(moment), "TimestampTicks": moment,
         "EventId": f"{identity} {moment}", "IngestedAt": now}
        for identity in ids
    ]  # fmt: skip
    lake.publish(info, DAY, pl.concat([lake.read(info, DAY), info.frame(rows)]))


def reconciled(served: Queue, lake: Lake) -> tuple[Report, dict[str, str | None]]:
    """Publish the report of the day, and return it and the reasons by alert."""
    report = reconciliation.publish(served.source, lake, DAY)
    rows = lake.read(RECONCILIATION, DAY)
    assert rows["AlertId"].is_unique().all()
    assert rows.height == report.rows
    assert report.adds_up
    return report, dict(rows.select("AlertId", "Missing").iter_rows())


def accounts(lake: Lake, identity: str) -> tuple[bool, bool, bool]:
    """Return whether the API, hunting and the lake know of an alert."""
    row = lake.read(RECONCILIATION, DAY).filter(AlertId=identity)
    return row.select("InApi", "InHunting", "InLake").row(0)


def asked(served: Queue) -> list[str]:
    """Return the ids that were asked for by name, encoded or not."""
    paths = [r.path for r in served.sandbox.requests if r.path.startswith("/v1.0/security")]
    return [path.removeprefix(f"{LISTING}/") for path in paths if path != LISTING]


def test_accounts_that_agree_lack_nothing(served: Queue, lake: Lake) -> None:
    """Where all three name the same alerts, there is no reason, no doubt and no request."""
    before = len(served.sandbox.requests)
    report, reasons = reconciled(served, lake)

    assert reasons == {"known1": None, "known2": None}
    assert accounts(lake, "known1") == (True, True, True)
    assert report.doubts == ()
    assert report.figures == {"in_api": 2, "in_hunting": 2, "in_lake": 2}
    assert len(served.sandbox.requests) == before


def test_an_alert_that_hunting_does_not_name_lacks_nothing(served: Queue, lake: Lake) -> None:
    """Hunting comes later than the alerts, and is no condition of them."""
    served.alerts.append(alert("early"))
    make(served, lake, DAY)
    report, reasons = reconciled(served, lake)

    assert reasons["early"] is None
    assert accounts(lake, "early") == (True, False, True)
    assert report.doubts == ()


def test_an_alert_that_only_hunting_knows(served: Queue, lake: Lake) -> None:
    """The API is asked for it by name, and has none: its title is all that is known."""
    name(lake, "ghost")
    report, reasons = reconciled(served, lake)
    row = lake.read(RECONCILIATION, DAY).filter(AlertId="ghost").row(0, named=True)

    assert reasons == {"known1": None, "known2": None, "ghost": "not_in_api"}
    assert accounts(lake, "ghost") == (False, True, False)
    assert (row["Title"], row["Timestamp"]) == ("Title of ghost", ticks.to_datetime(NOON))
    assert report.doubts == ("'ghost' is not in the lake: not_in_api",)


def test_an_alert_that_the_api_has_and_did_not_list(served: Queue, lake: Lake) -> None:
    """An alert of the day that the API knows by name and left out of its list is told."""
    served.alerts.append(alert("left out"))
    name(lake, "left out")
    report, reasons = reconciled(served, lake)

    assert reasons["left out"] == "not_listed"
    assert report.doubts == ("'left out' is not in the lake: not_listed",)
    make(served, lake, DAY)
    assert reconciled(served, lake)[1]["left out"] is None


def test_an_alert_that_was_listed_and_turned_away(served: Queue, lake: Lake) -> None:
    """What broke its contract is in quarantine, whether hunting names it or not."""
    broken = alert("broken") | {"createdDateTime": "2026-1-2T12:00:00Z"}
    served.alerts.extend([broken, broken | {"id": "broken too"}])
    make(served, lake, DAY)
    name(lake, "broken")
    before = len(served.sandbox.requests)
    report, reasons = reconciled(served, lake)

    assert lake.read(QUARANTINE, DAY, "alerts").height == 2
    assert (reasons["broken"], reasons["broken too"]) == ("quarantined", "quarantined")
    assert accounts(lake, "broken") == (True, True, False)
    assert accounts(lake, "broken too") == (True, False, False)
    assert len(report.doubts) == 2
    assert len(served.sandbox.requests) == before


def test_an_alert_of_a_day_that_was_not_pulled(served: Queue, lake: Lake) -> None:
    """Hunting dates an alert by its activity; its day of creation may be another. No doubt."""
    served.alerts.append(alert("later", TOMORROW))
    name(lake, "later")
    report, reasons = reconciled(served, lake)

    assert reasons["later"] == "other_day"
    assert report.doubts == ()


def test_an_alert_that_the_lake_has_under_another_day(served: Queue, lake: Lake) -> None:
    """Such an alert is in the lake, and the API is not asked for it."""
    served.alerts.append(alert("later", TOMORROW))
    make(served, lake, NEXT)
    name(lake, "later")
    before = asked(served)
    report, reasons = reconciled(served, lake)

    assert reasons["later"] is None
    assert accounts(lake, "later") == (True, True, True)
    assert report.doubts == ()
    assert asked(served) == before


def test_what_hunting_dates_on_another_day_is_not_of_this_one(served: Queue, lake: Lake) -> None:
    """Rows of alerts that were pulled by id may be of any day, and are reconciled there."""
    name(lake, "elsewhere", moment=TOMORROW)
    name(lake, "known1", moment=TOMORROW)
    assert set(reconciled(served, lake)[1]) == {"known1", "known2"}


def test_very_many_alerts_are_not_all_asked_for(served: Queue, lake: Lake) -> None:
    """So many are asked for by name, in their order; the others are said not to have been."""
    ghosts = [f"ghost{number:03}" for number in range(ASKED_BY_NAME + 3)]
    name(lake, *ghosts)
    before = len(asked(served))
    report, reasons = reconciled(served, lake)

    assert [reasons[ghost] for ghost in ghosts[:ASKED_BY_NAME]] == ["not_in_api"] * ASKED_BY_NAME
    assert [reasons[ghost] for ghost in ghosts[ASKED_BY_NAME:]] == ["not_asked"] * 3
    assert asked(served)[before:] == ghosts[:ASKED_BY_NAME]
    assert len(report.doubts) == len(ghosts)


FAULTS: dict[str, dict[str, Any]] = {
    "no permission": {"roles": ("ThreatHunting.Read.All",)},
    "down": {"errors_first": 99},
    "over quota": {"alert_requests_per_minute": 0},
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_a_refusal_of_the_api_is_no_failure(
    served: Queue, lake: Lake, faults: dict[str, Any]
) -> None:
    """After the first refusal nothing more is asked, and what is not known is said to be so."""
    name(lake, "ghost1", "ghost2", "ghost3")
    with queue(served.alerts, attempts=1, **faults) as ill:
        ill.source.client.longest_wait = 0
        _, reasons = reconciled(ill, lake)
        requests = asked(ill)

    assert reasons == {"known1": None, "known2": None} | dict.fromkeys(
        ("ghost1", "ghost2", "ghost3"), "not_asked"
    )
    assert requests == ["ghost1"]


HOSTILE = [
    "a/b", "../alerts_v2", "../../v1.0/security/alerts_v2", "..", ".", "/", "//evil.example/x",
    "https://evil.example/x", "a'b", 'a"b', "a?$filter=x", "a#b", "a%2fb", "%2e%2e", "a b", "a\\b",
    "ä\u202e", "a\nb", ";", "*",
]  # fmt: skip


def test_reasons_found_before_a_refusal_are_kept(served: Queue, lake: Lake) -> None:
    """A quota that ends between two alerts leaves the answer about the first."""
    name(lake, "ghost1", "ghost2")
    with queue(served.alerts, alert_requests_per_minute=1) as ill:
        ill.source.client.longest_wait = 0
        _, reasons = reconciled(ill, lake)

    assert (reasons["ghost1"], reasons["ghost2"]) == ("not_in_api", "not_asked")


def test_hostile_ids_stay_ids(served: Queue, lake: Lake) -> None:
    """Whatever an id is made of, no other address is asked for than that of the alert."""
    name(lake, *HOSTILE)
    before = len(asked(served))
    report, reasons = reconciled(served, lake)

    assert {identity: reasons[identity] for identity in HOSTILE} == {
        identity: "not_asked" if identity == "/" else "not_in_api" for identity in HOSTILE
    }
    assert len(report.doubts) == len(HOSTILE)
    assert all(line.isprintable() for line in report.doubts)
    assert set(asked(served)[before:]) == set(HOSTILE) - {".", ".."}


@pytest.mark.parametrize("identity", ["a'b", "a b", "a?b", "a%41", "ä", "a..b", "...", "-_~"])
def test_an_id_with_odd_letters_is_found(served: Queue, lake: Lake, identity: str) -> None:
    """An alert that the API has under such an id is known to it."""
    served.alerts.append(alert(identity))
    name(lake, identity)
    assert reconciled(served, lake)[1][identity] == "not_listed"


def test_a_day_of_which_nobody_says_anything(served: Queue, tmp_path: Path) -> None:
    """The report of a day without alerts is published, and empty."""
    lake = lake_of(tmp_path, served)
    report, reasons = reconciled(served, lake)

    assert (reasons, report.rows, report.doubts) == ({}, 0, ())
    assert lake.path(RECONCILIATION, DAY).exists()
    assert lake.days(core.ALERTS) == []
