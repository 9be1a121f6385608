import json
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import AT, NOW, Record, alert, item, process

from etl.contracts import ops
from etl.contracts.judge import judge
from etl.normalise.drift import REST, drift, united
from etl.normalise.schema import ENUMERATIONS, EVIDENCE_TYPES, TYPES
from etl.sandbox import Tenant

GOLDEN = json.loads((Path(__file__).parent / "golden" / "evidence_types.json").read_text())
MDE_ITEM = {"entityType": "Process", "processId": 7, "processCreationTime": AT, "sha1": None}


def state(seen: datetime = NOW, tenant: str = "t") -> Record:
    """Return what drift needs of a row of AlertVersions."""
    return {"TenantId": tenant, "SeenAt": seen, "IngestedAt": seen, "SourceRequestId": "r"}


def drift_of(*records: Record, source: str = "graph") -> pl.DataFrame:
    """Return the drift of records, which keeps its contract."""
    found = drift([(state(), record) for record in records], source)
    verdict = judge(found, ops.SCHEMA_DRIFT, source="x", raw=found["Name"])
    assert verdict.rejected.is_empty()
    assert not found.select(ops.SCHEMA_DRIFT.grain).is_duplicated().any()
    return found


def named(*records: Record, source: str = "graph") -> set[tuple[str, str, str]]:
    """Return table, kind and name of each row of drift."""
    return set(drift_of(*records, source=source).select("Table", "Kind", "Name").iter_rows())


def mde(**fields: object) -> Record:
    """Return an alert as Defender for Endpoint sends it."""
    return {
        "id": "da1", "incidentId": 5, "severity": "High", "status": "New", "classification": None,
        "determination": None, "alertCreationTime": AT, "machineId": "abc", "evidence": [MDE_ITEM],
        **fields,
    }  # fmt: skip


@pytest.mark.parametrize("kind", sorted(GOLDEN))
def test_known_items_are_no_drift(kind: str) -> None:
    """An item of each type as Microsoft documents it is nothing new."""
    assert named(alert(item(kind, **GOLDEN[kind]["item"]))) == set()


def test_the_generated_tenant_has_one_unknown_type() -> None:
    """The sandbox sends what the schema has, but for a type that nobody knows."""
    made = Tenant.generate(seed=11, scale=0.2, days=3)
    found = named(*json.loads(json.dumps(made.alerts)))
    assert found == {("AlertEvidence", "type", "lunarRelayEvidence")}


@pytest.mark.parametrize(
    ("record", "table", "kind", "name"),
    [
        (alert(item("moonEvidence", x=1)), "AlertEvidence", "type", "moonEvidence"),
        (alert(newField=1), "Alerts", "field", "alert.newField"),
        (alert(process(extra=1)), "AlertEvidence", "field", "processEvidence.extra"),
        (
            alert(process(imageFile={"sha512": "x"})),
            "AlertEvidence", "field", "processEvidence.imageFile.sha512",
        ),
        (
            alert(item("malwareEvidence", processes=[{"imageFile": {}, "odd": 1}])),
            "AlertEvidence", "field", "processEvidence.odd",
        ),
        (alert(comments=[{"by": "x"}]), "Alerts", "field", "alert.comments.by"),
        (alert(severity="apocalyptic"), "Alerts", "value", "alert.severity=apocalyptic"),
        (
            alert(serviceSource="unknownFutureValue"),
            "Alerts", "value", "alert.serviceSource=unknownFutureValue",
        ),
        (
            alert(process(roles=["bystander"])),
            "AlertEvidence", "value", "processEvidence.roles=bystander",
        ),
        (
            alert(process(detectionStatus="guessed")),
            "AlertEvidence", "value", "processEvidence.detectionStatus=guessed",
        ),
        (alert(process(processId="7")), "AlertEvidence", "shape", "processEvidence.processId:text"),
        (
            alert(process(processId=True)),
            "AlertEvidence", "shape", "processEvidence.processId:boolean",
        ),
        (
            alert(process(processCommandLine={"a": 1})),
            "AlertEvidence", "shape", "processEvidence.processCommandLine:object",
        ),
        (alert(title=5), "Alerts", "shape", "alert.title:number"),
        (alert(createdDateTime="yesterday"), "Alerts", "shape", "alert.createdDateTime:text"),
        (alert(categories="Execution"), "Alerts", "shape", "alert.categories:text"),
        (alert(mitreTechniques=["T1", None]), "Alerts", "shape", "alert.mitreTechniques[]:null"),
        (alert(customDetails=[1]), "Alerts", "shape", "alert.customDetails:list"),
        (alert(None), "Alerts", "shape", "alert.evidence[]:null"),
        (alert("text"), "Alerts", "shape", "alert.evidence:text"),
        (alert(evidence=process()), "Alerts", "shape", "alert.evidence:object"),
        (alert(evidence=None), "Alerts", "missing", "alert.evidence"),
        (alert(severity=None), "Alerts", "missing", "alert.severity"),
        (alert(process(imageFile=None)), "AlertEvidence", "missing", "processEvidence.imageFile"),
        (alert(item("fileEvidence")), "AlertEvidence", "missing", "fileEvidence.fileDetails"),
        (
            alert(item("userEvidence", userAccount=None)),
            "AlertEvidence", "missing", "userEvidence.userAccount",
        ),
        (
            alert(process(imageFile="x.exe")),
            "AlertEvidence", "shape", "processEvidence.imageFile:text",
        ),
        (alert(process(verdict=None)), "AlertEvidence", "missing", "processEvidence.verdict"),
    ],
)  # fmt: skip
def test_what_is_new_is_named(record: Record, table: str, kind: str, name: str) -> None:
    """Each thing that the schema does not know has one row that says where and what it is."""
    assert named(record) == {(table, kind, name)}


def test_missing_evidence_is_drift() -> None:
    """An alert without the field is told apart from one without evidence."""
    record = alert()
    del record["evidence"]
    assert named(record) == {("Alerts", "missing", "alert.evidence")}
    assert named(alert()) == set()


def test_nulls_and_annotations_are_no_drift() -> None:
    """An ordinary null, an annotation and an open dictionary are as documented."""
    record = alert(process(userAccount=None, parentProcessImageFile=None), resolvedDateTime=None)
    record |= {"comments@odata.context": "x", "customDetails": {"a": 1}, "additionalData": None}
    assert named(record) == set()


def test_nested_too_deep_is_drift() -> None:
    """What is not read because it is nested absurdly deep is told."""
    inner: Record = {}
    for _ in range(20):
        inner = {"trustedDomains": [inner]}
    found = named(alert(item("activeDirectoryDomainEvidence", **inner)))
    assert found == {("AlertEvidence", "shape", "evidence: nested deeper than 8")}


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, set()),
        ({"severity": "UnSpecified", "determination": "CompromisedUser"}, set()),
        ({"severity": "high"}, {("Alerts", "value", "alert.severity=high")}),
        ({"incidentId": "5"}, {("Alerts", "shape", "alert.incidentId:text")}),
        ({"machine": {"id": "abc", "rbacGroupId": "75", "osBuild": 5}}, set()),
        ({"novel": 1}, {("Alerts", "field", "alert.novel")}),
        (
            {"evidence": [MDE_ITEM | {"entityType": "Moon", "odd": 1}]},
            {("AlertEvidence", "type", "Moon"), ("AlertEvidence", "field", "evidence.odd")},
        ),
        (
            {"evidence": [MDE_ITEM | {"processId": "7"}]},
            {("AlertEvidence", "shape", "evidence.processId:text")},
        ),
        ({"evidence": None}, {("Alerts", "missing", "alert.evidence")}),
    ],
)
def test_defender_for_endpoint_has_its_own_words(
    fields: Record, found: set[tuple[str, str, str]]
) -> None:
    """An alert of the other API is compared with what that API documents."""
    assert named(mde(**fields), source="mde") == found


def test_seen_first_and_last() -> None:
    """A name is one row over all alerts: how often, from when to when, and the first example."""
    later = NOW + timedelta(hours=1)
    records = [(state(later), alert(odd="b")), (state(), alert(odd="a")), (state(), alert(odd="c"))]
    (row,) = drift(records, "graph").iter_rows(named=True)
    assert (row["Count"], row["Example"], row["Source"]) == (3, "a", "graph")
    assert (row["FirstSeenAt"], row["LastSeenAt"]) == (NOW, later)


def test_tenants_are_apart() -> None:
    """The same name in two tenants is a row in each."""
    found = drift([(state(tenant=one), alert(odd=1)) for one in "ab"], "graph")
    assert found["TenantId"].to_list() == ["a", "b"]


def test_the_number_of_names_is_bounded() -> None:
    """A flood of names is summed under one, and hides no name of another kind."""
    flood = {f"field{n}": n for n in range(3000)}
    found = drift_of(alert(item("moonEvidence"), **flood), alert(often=1), alert(often=1))
    assert found.height <= 102
    assert {"moonEvidence", "alert.often"} <= set(found["Name"])
    assert found["Count"].sum() == 3003
    assert found.filter(Name=REST)["Count"].to_list() == [3003 - 1 - 2 - 99]


def test_sums_of_sums() -> None:
    """Frames of drift are united into what one call over all records had found."""
    records = [
        (state(NOW + timedelta(seconds=n)), alert(process(extra=n), odd=n, severity="dire"))
        for n in range(6)
    ]
    parts = [drift(records[:2], "graph"), drift(records[2:], "graph")]
    assert united(parts).equals(drift(records, "graph"))
    assert united([]).equals(ops.SCHEMA_DRIFT.empty())


def test_hostile_names_are_tamed() -> None:
    """A name or example is printable and short, whatever was sent."""
    deep: object = 1
    for _ in range(900):
        deep = [deep]
    found = drift_of(alert(**{"\u202e\n" * 500: "\0" * 500, "deep": deep}))
    for text in (*found["Name"], *found["Example"]):
        assert text.isprintable()
        assert len(text) <= 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(sorted(TYPES["alert"])) | st.text(), JSON, max_size=6))
def test_no_record_makes_it_fail(fields: Record) -> None:
    """Whatever a record holds, its drift keeps the contract, in both sources' schemas."""
    drift_of(alert(**fields))
    drift_of(mde(**fields), source="mde")
    drift_of(alert(*[item(kind, **fields) for kind in ("processEvidence", "dnsEvidence")]))


def _fields(name: str) -> set[str]:
    """Return the fields that Microsoft's SDK reads of a type."""
    module: Any = import_module(f"msgraph.generated.models.security.{_snake(name)}")
    return set(getattr(module, name[0].upper() + name[1:])().get_field_deserializers())


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


@pytest.mark.parametrize("name", sorted({*EVIDENCE_TYPES, "alert", "fileDetails", "userAccount"}))
def test_the_schema_is_microsofts(name: str) -> None:
    """The fields of each type are those that Microsoft's own SDK reads."""
    assert _fields(name) - {"@odata.type"} == set(TYPES[name])


@pytest.mark.parametrize("name", sorted(n for n in ENUMERATIONS if not n.startswith("mde")))
def test_the_enumerations_are_microsofts(name: str) -> None:
    """The members of each enumeration are the SDK's, and the documents' other spellings."""
    module: Any = import_module(f"msgraph.generated.models.security.{_snake(name)}")
    members = {one.value for one in getattr(module, name[0].upper() + name[1:])}
    spelled = {"compromisedUser", "clean", "insufficientData", "confirmedUserActivity"}
    assert members | (spelled if name == "alertDetermination" else set()) == ENUMERATIONS[name]


def test_enumerations_are_used() -> None:
    """Every enumeration of the schema belongs to a field, and every field's kind is known."""
    kinds = {held.kind for fields in TYPES.values() for held in fields.values()}
    plain = {"text", "integer", "number", "boolean", "instant", "identifier", "open"}
    assert set(ENUMERATIONS) <= kinds <= {*ENUMERATIONS, *TYPES, *plain}
