import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import Record, alert, process, versions

from etl.contracts import core
from etl.contracts.judge import judge
from etl.normalise import alerts
from etl.normalise.schema import ENUMERATIONS
from etl.normalise.vocabulary import DETECTION_SOURCES, SERVICE_SOURCES, judgement


def test_an_alerts_columns() -> None:
    """An alert's fields come in the lake's words; `categories` goes before `category`."""
    record = alert(
        classification="truePositive", categories=["Execution", "Persistence"], category="Other",
        mitreTechniques=["T1059"], detectionSource="customTi", incidentId="12",
        resolvedDateTime="0001-01-01T00:00:00Z", firstActivityDateTime="2026-01-01 10:00:00",
    )  # fmt: skip
    (found,) = versions(record).select(*core.ALERTS.types).iter_rows(named=True)
    assert (found["AlertId"], found["Severity"], found["Status"]) == ("da1", "High", "InProgress")
    assert (found["Classification"], found["DetectionSource"]) == ("TruePositive", "Custom TI")
    assert found["Categories"] == ["Execution", "Persistence"]
    assert found["FirstActivityTime"] == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert (found["ResolvedTime"], found["AlertSource"]) == (None, "graph")


def test_unknown_words_stay() -> None:
    """A service, severity or source that nobody has seen before keeps its own name."""
    found = versions(alert(serviceSource="newProduct", severity="apocalyptic", category="X"))
    assert found["ServiceSource"].to_list() == ["newProduct"]
    assert found["Severity"].to_list() == ["Apocalyptic"]
    assert found["Categories"].to_list() == [["X"]]


@pytest.mark.parametrize(
    ("enumeration", "words"),
    [("serviceSource", SERVICE_SOURCES), ("detectionSource", DETECTION_SOURCES)],
)
def test_every_source_has_a_word(enumeration: str, words: Record) -> None:
    """Each product and technology of the schema has the lake's word for it."""
    assert ENUMERATIONS[enumeration] <= set(words)
    assert all(word[:1].isupper() for word in words.values())


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("UnSpecified", "Unknown"),
        ("inProgress", "InProgress"),
        ("Informational, expected activity", "InformationalExpectedActivity"),
        ("compromisedUser", "CompromisedAccount"),
        ("CompromisedAccount", "CompromisedAccount"),
        ("clean", "NotMalicious"),
        ("InsufficientData", "NotEnoughDataToValidate"),
        ("confirmedUserActivity", "ConfirmedActivity"),
        ("novel", "Novel"),
        (None, None),
    ],
)
def test_two_spellings_of_a_judgement_are_one(word: str | None, expected: str | None) -> None:
    """A word that documents and APIs spell in two ways has one spelling in the lake."""
    assert judgement(word) == expected


def test_the_record_comes_back_whole() -> None:
    """A state's record is read again as it was sent."""
    record = alert(process())
    assert [found for _, found in alerts.parsed(versions(record))] == [record]


@pytest.mark.parametrize("record", [None, 5, "x", [], {}, {"id": ""}, {"id": "x"}])
def test_what_is_no_alert_is_turned_away(record: object) -> None:
    """A record without id or creation breaks the contract; the others do not."""
    found = versions(alert(), record)
    verdict = judge(found, core.ALERT_VERSIONS, source="x", raw=found["Raw"])
    assert verdict.accepted["AlertId"].to_list() == ["da1"]
    assert verdict.rejected["Raw"].to_list() == [json.dumps(record)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*alert()]), JSON))
def test_no_alert_makes_reading_fail(fields: Record) -> None:
    """Whatever an alert holds, it is one version."""
    assert versions(alert() | fields).height == 1
