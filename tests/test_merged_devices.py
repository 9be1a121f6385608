"""Devices that were onboarded anew: ids of one machine, matches on either, and signs of life."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from days import (
    ACTIVE,
    LINUX,
    MACOS,
    TOLERANCE,
    US,
    Row,
    T,
    active,
    caused,
    device,
    event,
    frame,
    heartbeat,
    item,
    match,
    process,
    started,
    still_open,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import ticks
from etl.contracts.hunting import DEVICE_INFO, hunting
from etl.lake import engine
from etl.models.relations import aliases

MERGED = [heartbeat("d2", MergedDeviceIds='["d1"]')]
"""d1 was onboarded anew as d2."""


def others(*rows: Row) -> dict[str, list[str]]:
    """Return the aliases of each device, by what DeviceInfo says."""
    with TemporaryDirectory() as name, engine.connection(Path(name)) as duck:
        return aliases(duck, frame(hunting(DEVICE_INFO), rows))


@pytest.mark.parametrize(
    "row",
    [
        heartbeat("d1", MergedToDeviceId="D2"),
        heartbeat("d2", MergedDeviceIds='["D1"]'),
        heartbeat("D2", MergedDeviceIds='[ "d1" , "d2" ]'),
        heartbeat("d2", MergedDeviceIds="d1"),
        heartbeat("d2", MergedDeviceIds='["d1", "D1'),
    ],
    ids=["to", "from", "itself too", "no list", "cut off"],
)
def test_either_id_may_say_that_they_are_one(row: Row) -> None:
    """Whichever of two ids names the other, each is the other's alias, in lower case."""
    found = others(row)

    assert found["d1"] == ["d2"]
    assert found["d2"][0] == "d1"


@pytest.mark.parametrize("text", [None, "", "[]", '[""]', "[ ]", '["d1"]'])
def test_a_device_that_was_not_merged_has_no_alias(text: str | None) -> None:
    """Empty lists and a device's own id say nothing."""
    assert others(heartbeat("d1", MergedDeviceIds=text, MergedToDeviceId=text)) == {}


def test_a_chain_of_merges_is_followed() -> None:
    """A machine that was onboarded anew twice has three ids, each an alias of the others."""
    found = others(
        heartbeat("d1", MergedToDeviceId="d2"), heartbeat("d3", MergedDeviceIds='["d2"]')
    )

    assert found == {"d1": ["d2", "d3"], "d2": ["d1", "d3"], "d3": ["d1", "d2"]}


def test_a_chain_is_followed_eight_steps() -> None:
    """Ids nine merges apart are not taken for one machine."""
    found = others(*[heartbeat(f"d{n}", MergedToDeviceId=f"d{n + 1}") for n in range(9)])

    assert found["d0"] == ["d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8"]


def test_loops_do_no_harm() -> None:
    """Ids that name each other in a circle are one machine."""
    found = others(*[heartbeat(f"d{n}", MergedToDeviceId=f"d{(n + 1) % 3}") for n in range(3)])

    assert found == {"d0": ["d1", "d2"], "d1": ["d0", "d2"], "d2": ["d0", "d1"]}


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=8))
def test_aliases_are_mutual_and_those_of_one_machine_agree(merges: list[tuple[str, str]]) -> None:
    """Whoever is merged with whom: aliases are a partition of the ids into machines."""
    found = others(*[heartbeat(one, MergedToDeviceId=other) for one, other in merges])

    machines = {one: frozenset([one, *named]) for one, named in found.items()}
    assert all(machines[other] == machine for machine in machines.values() for other in machine)
    assert all(one not in named for one, named in found.items())


def test_an_exact_key_on_a_merged_device_is_precision() -> None:
    """What equals the evidence on the machine's other id is one tier lower, and says so."""
    found = match(
        [process()],
        DeviceProcessEvents=[started("own", DeviceId="d2")],
        DeviceNetworkEvents=[caused("net", DeviceId="d2"), caused("other", DeviceId="d3")],
        DeviceInfo=MERGED,
    )

    assert found.verdict == ("precision", T, None)
    assert found.only["DeviceId"] == "d2"
    assert found.only["Because"] == (
        "process id and creation time are equal, on a device that was merged with it"
    )
    assert found.events == {("own", "subject", "precision"), ("net", "initiator", "precision")}
    assert found.judged == (
        "corroborated",
        "1 of 1 process seen to the precision of the clock, 1 on a merged device",
    )


def test_a_cut_key_on_a_merged_device_is_tolerance() -> None:
    """What is equal only once cut is one tier lower as well, the platform being the same."""
    own = T + 50 * US
    found = match(
        [process(FileName="sh")],
        devices=LINUX,
        DeviceProcessEvents=[started("own", at=own, DeviceId="d2", FileName="sh")],
        DeviceInfo=MERGED,
    )

    assert found.verdict == ("tolerance", own, None)
    assert found.only["Because"] == (
        "equal once cut to 10 ms, on a device that was merged with it; file name agrees"
    )
    assert found.events == {("own", "subject", "tolerance")}


@pytest.mark.parametrize("devices", [(device(),), MACOS], ids=["windows", "macos"])
def test_a_near_time_on_a_merged_device_is_nothing(devices: tuple[Row, ...]) -> None:
    """What would be within the tolerance on the own device is no match on another id."""
    row = started("near", at=T + 20 * US, FileName="x")
    there = match(
        [process(FileName="x")],
        devices=devices,
        DeviceProcessEvents=[row | {"DeviceId": "d2"}],
        DeviceInfo=MERGED,
    )
    here = match([process(FileName="x")], devices=devices, DeviceProcessEvents=[row])

    assert there.verdict == ("none", None, "no_match")
    assert here.verdict[0] == "tolerance"


@pytest.mark.parametrize("delta", [0, 5, TOLERANCE], ids=["equal", "near", "barely"])
def test_the_own_device_goes_first(delta: int) -> None:
    """A match on the evidence's own device goes before one on an alias, however near that is."""
    found = match(
        [process()],
        DeviceProcessEvents=[started("here", at=T + delta), started("there", DeviceId="d2")],
        DeviceInfo=MERGED,
    )

    assert found.only["DeviceId"] == "d1"
    assert {name for name, _, _ in found.events} == {"here"}
    assert "merged" not in found.only["Because"]


def test_two_equals_on_one_alias_each_are_ambiguous() -> None:
    """Where two other ids of the machine have the key, it is not known which is meant."""
    found = match(
        [process()],
        DeviceProcessEvents=[started("a", DeviceId="d2"), started("b", DeviceId="d3")],
        DeviceInfo=[*MERGED, heartbeat("d3", MergedDeviceIds='["d1"]')],
    )

    assert found.verdict == ("none", None, "ambiguous")


def test_without_a_merge_another_device_is_another() -> None:
    """The same key on a device that DeviceInfo does not name with it is nothing."""
    found = match(
        [process()],
        DeviceProcessEvents=[started("own", DeviceId="d2")],
        DeviceInfo=[heartbeat("d2"), heartbeat("d3", MergedDeviceIds='["d4"]')],
    )

    assert found.correlated.is_empty()


def test_an_id_that_the_alert_names_itself_is_no_alias() -> None:
    """Evidence without a device is tried on both ids of its alert alike, at the full tier."""
    found = match(
        [process(device_id=None)],
        devices=[device(), device("d2")],
        DeviceProcessEvents=[started("own", DeviceId="d2")],
        DeviceInfo=MERGED,
    )

    assert found.verdict == ("exact", T, None)


def test_a_pivot_goes_by_the_own_device_first() -> None:
    """A file is found on the machine's other id, and there only where its own shows nothing."""
    evidence = item("File", SHA1="c" * 40, DeviceId="d1")
    rows = [event("there", SHA1="c" * 40, DeviceId="d2"), event("here", hours=5, SHA1="c" * 40)]
    both = match([evidence], alerts=[active()], DeviceFileEvents=rows, DeviceInfo=MERGED)
    there = match([evidence], alerts=[active()], DeviceFileEvents=rows[:1], DeviceInfo=MERGED)

    assert both.events == {("here", "subject", "pivot")}
    assert there.events == {("there", "subject", "pivot")}
    assert there.only["Because"] == ("sha1 near the activity, on a device that was merged with it")


def test_a_custom_detection_has_what_its_machine_did() -> None:
    """A device without events near the alert has those of the id that it was merged with."""
    found = match(
        [item("Machine", DeviceId="d1")],
        alerts=[active()],
        DeviceFileEvents=[event("there", DeviceId="d2"), event("else", DeviceId="d3")],
        DeviceInfo=MERGED,
    )

    assert found.events == {("there", "subject", "pivot")}


def test_hunts_ask_for_all_ids() -> None:
    """What is not found is looked for on every id of the machine, the evidence's own first."""
    lead = still_open([process()], DeviceInfo=MERGED).leads.row(0, named=True)

    assert lead["Devices"] == ["d1", "d2"]
    assert lead["Own"] == 1


KEYED = ([process()], {}, T)
UNKEYED = (
    [item("Ip", RemoteIP="192.0.2.1", DeviceId="d1")],
    {"alerts": [active()]},
    ticks.from_datetime(ACTIVE),
)
MOMENTS = pytest.mark.parametrize(
    ("evidence", "more", "at"), [KEYED, UNKEYED], ids=["creation", "activity"]
)


@MOMENTS
@pytest.mark.parametrize(
    ("away", "reason"),
    [
        (ticks.PER_HOUR, "no_match"),
        (-ticks.PER_HOUR, "no_match"),
        (ticks.PER_HOUR + 1, "device_silent"),
        (-ticks.PER_HOUR - 1, "device_silent"),
    ],
)
def test_an_event_within_the_hour_is_a_sign_of_life(
    evidence: list[Row], more: dict[str, list[Row]], at: int, away: int, reason: str
) -> None:
    """A device with an event within an hour of the moment was heard, to the tick."""
    row = event("noise", TimestampTicks=at + away)
    found = match(evidence, **more, DeviceFileEvents=[row])

    assert found.verdict == ("none", None, reason)


@MOMENTS
def test_a_heartbeat_is_a_sign_of_life(
    evidence: list[Row], more: dict[str, list[Row]], at: int
) -> None:
    """DeviceInfo shows that a device was alive though it sent no event."""
    silent = match(evidence, **more)
    alive = match(evidence, **more, DeviceInfo=[heartbeat(at=at)])

    assert silent.verdict == ("none", None, "device_silent")
    assert silent.only["Because"] == "its device gave no sign of life around that time"
    assert alive.verdict == ("none", None, "no_match")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (heartbeat(at=T - ticks.PER_HOUR), "no_match"),
        (heartbeat(at=T + 2 * ticks.PER_HOUR), "device_silent"),
        (heartbeat(at=T - 3 * ticks.PER_HOUR), "device_silent"),
        (heartbeat("d2"), "device_silent"),
        (heartbeat("d2", MergedDeviceIds='["d1"]'), "no_match"),
        (heartbeat(SensorHealthState="Active"), "no_match"),
        (heartbeat(SensorHealthState="Inactive"), "device_silent"),
        (heartbeat(MergedToDeviceId="d2"), "device_silent"),
    ],
    ids=["an hour ago", "hours later", "hours ago", "another's", "of its other id", "active",
         "inactive", "given up"],
)  # fmt: skip
def test_which_heartbeat_is_a_sign_of_life(row: Row, reason: str) -> None:
    """One of those hours, of the machine by any id, and of a sensor that works."""
    assert match([process()], DeviceInfo=[row]).verdict == ("none", None, reason)


def test_the_other_id_is_heard_for_both() -> None:
    """A device that was silent is not, where the id that it was merged with sent an event."""
    noise = [event("noise", TimestampTicks=T, DeviceId="d2")]
    found = match([process()], DeviceFileEvents=noise, DeviceInfo=MERGED[:0])
    merged = match(
        [process()],
        DeviceFileEvents=noise,
        DeviceInfo=[heartbeat("d2", T - ticks.PER_DAY, MergedDeviceIds='["d1"]')],
    )

    assert found.only["Reason"] == "device_silent"
    assert merged.only["Reason"] == "no_match"


def test_a_heartbeat_bounds_no_retention() -> None:
    """DeviceInfo of long ago does not mean that events of then are still kept."""
    at = T - 60 * ticks.PER_DAY
    rows = {"DeviceNetworkEvents": [caused("now", 9)], "DeviceInfo": [heartbeat(at=at)]}

    assert match([process(at=at)], **rows).only["Reason"] == "outside_retention"
