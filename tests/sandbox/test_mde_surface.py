"""Defender for Endpoint's own API: its alerts, what is related to them, and machines."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from etl.sandbox import Faults, Sandbox, Tenant, exotica, moments
from etl.sandbox.literals import instant
from etl.sandbox.mde import AUDIENCE as MDE

ALERTS = "/api/alerts"
MACHINES = "/api/machines"
CREATED = "2026-11-20T10:00:00.1234567Z"
Get = Callable[..., Any]
SignIn = Callable[..., requests.Session]
KEYS = {
    "entityType", "evidenceCreationTime", "sha1", "sha256", "fileName", "filePath", "processId",
    "processCommandLine", "processCreationTime", "parentProcessId", "parentProcessCreationTime",
    "parentProcessFileName", "parentProcessFilePath", "ipAddress", "url", "registryKey",
    "registryHive", "registryValueType", "registryValue", "accountName", "domainName", "userSid",
    "aadUserId", "userPrincipalName", "detectionStatus",
}  # fmt: skip


@pytest.fixture
def get(sandbox: Sandbox, endpoint: requests.Session) -> Get:
    """Return what asks for a path with some query options."""

    def ask(path: str, expected: int = 200, **options: str) -> dict[str, Any]:
        params = {f"${name}": value for name, value in options.items()}
        response = endpoint.get(sandbox.url + path, params=params, timeout=30)
        assert response.status_code == expected, response.text
        body: dict[str, Any] = response.json()
        return body

    return ask


def native(tenant: Tenant) -> dict[str, dict[str, Any]]:
    """Return Graph's alerts that Defender for Endpoint knows too, by id."""
    alerts: list[dict[str, Any]] = tenant.alerts
    return {one["id"]: one for one in alerts if one["id"][:2] in ("da", "ed")}


def kinds(alert: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    """Return the items of some types in an alert of Graph's."""
    items: list[dict[str, Any]] = alert["evidence"]
    return [one for one in items if one["@odata.type"].rpartition(".")[2] in names]


def test_only_its_own_alerts_are_there(get: Get, small: Tenant) -> None:
    """Those of the product and custom detections, newest first, and none of other products."""
    found = get(ALERTS)["value"]
    created = [instant(one["alertCreationTime"]) for one in found]

    assert {one["id"] for one in found} == set(native(small))
    assert {one["id"][:2] for one in found} == {"da", "ed"}
    assert created == sorted(created, reverse=True)


def test_an_alert_means_the_same_as_in_graph(get: Get, small: Tenant) -> None:
    """Id, times, incident and words agree, each in this API's spelling."""
    known = native(small)
    for one in get(ALERTS)["value"]:
        alert = known[one["id"]]
        device = next(iter(kinds(alert, "deviceEvidence")), {})

        assert one["incidentId"] == int(alert["incidentId"])
        assert one["severity"].lower() == alert["severity"]
        assert one["status"].lower() == alert["status"].lower()
        assert one["machineId"] == device.get("mdeDeviceId")
        assert one["computerDnsName"] == device.get("deviceDnsName")
        assert one["alertCreationTime"] == alert["createdDateTime"]
        assert one["lastUpdateTime"] == alert["lastUpdateDateTime"]
        assert one["aadTenantId"] == alert["tenantId"]
        assert (one["classification"] is None) == (alert["classification"] is None)


def test_evidence_is_there_on_request_only(get: Get) -> None:
    """A list has no evidence unless it is expanded; an alert by id always has it."""
    plain = get(ALERTS)["value"]
    expanded = get(ALERTS, expand="evidence")["value"]
    chosen = next(one for one in expanded if one["evidence"])

    assert all(one["evidence"] == [] for one in plain)
    assert get(f"{ALERTS}/{chosen['id']}")["evidence"] == chosen["evidence"]
    assert [one | {"evidence": []} for one in expanded] == plain


def test_items_have_every_key_and_no_device(get: Get, small: Tenant) -> None:
    """Each item has all keys; devices are no items; values of registry have no name."""
    known = native(small)
    for one in get(ALERTS, expand="evidence")["value"]:
        items = [
            item
            for item in known[one["id"]]["evidence"]
            if not item["@odata.type"].endswith("deviceEvidence")
        ]
        assert len(one["evidence"]) == len(items)
        assert all(set(item) == KEYS for item in one["evidence"])


def test_processes_have_the_same_keys_as_in_graph(get: Get, small: Tenant) -> None:
    """Pid, time, file and command line agree; times are the same instant in several spellings."""
    known = native(small)
    endings: set[str] = set()
    for one in get(ALERTS, expand="evidence")["value"]:
        processes = [item for item in one["evidence"] if item["entityType"] == "Process"]
        graphs = kinds(known[one["id"]], "processEvidence")
        for item, graph in zip(processes, graphs, strict=True):
            time, shown = graph["processCreationDateTime"], item["processCreationTime"]
            endings.add(str(shown)[19:][-6:])

            assert item["processId"] == graph["processId"]
            assert (time and instant(time)) == (shown and instant(shown))
            assert item["processCommandLine"] == graph["processCommandLine"]
            assert item["fileName"] == graph["imageFile"]["fileName"]
            assert item["filePath"] == graph["imageFile"]["filePath"]
            assert item["accountName"] == (graph["userAccount"] or {}).get("accountName")
            assert item["detectionStatus"] == "Detected"

    assert "+00:00" in endings
    assert any(ending.endswith("0Z") for ending in endings)
    assert any(ending.endswith("Z") and not ending.endswith("0Z") for ending in endings)


@pytest.fixture
def odd(small: Tenant) -> list[dict[str, Any]]:
    """Return alerts that are judged in all ways, and one with every type of evidence."""
    base = next(iter(native(small).values()))
    judged = [
        {"severity": "unknown", "classification": "unknown", "determination": "unknown"},
        {"classification": "truePositive", "determination": "compromisedAccount"},
        {"classification": "falsePositive", "determination": "notMalicious"},
        {"classification": "falsePositive", "determination": "notEnoughDataToValidate"},
        *[{"classification": "informationalExpectedActivity",
           "determination": "confirmedActivity"}] * 20,
    ]  # fmt: skip
    made = [base | {"id": f"da{n}_1", **one} for n, one in enumerate(judged)]
    return [*made, base | {"id": "ed9_9", "evidence": exotica.every_type(CREATED)}]


def test_words_are_spelt_in_this_apis_way(odd: list[dict[str, Any]], sign_in: SignIn) -> None:
    """Members have other names, and one is printed as a phrase now and then."""
    with Sandbox(Tenant.of(odd)) as sandbox:
        session = sign_in(sandbox, resource=MDE)
        found = {
            one["id"]: one
            for one in session.get(sandbox.url + ALERTS, timeout=30).json()["value"]
        }  # fmt: skip

    assert found["da0_1"]["severity"] == "UnSpecified"
    assert found["da0_1"]["classification"] is found["da0_1"]["determination"] is None
    assert found["da1_1"]["determination"] == "CompromisedUser"
    assert found["da2_1"]["determination"] == "Clean"
    assert found["da3_1"]["determination"] == "InsufficientData"
    assert {found[f"da{n}_1"]["classification"] for n in range(4, 24)} == {
        "InformationalExpectedActivity", "Informational, expected activity",
    }  # fmt: skip


def test_unknown_types_of_evidence_are_left_out(odd: list[dict[str, Any]], sign_in: SignIn) -> None:
    """Of all types there are, the API has those of its seven kinds."""
    with Sandbox(Tenant.of(odd)) as sandbox:
        session = sign_in(sandbox, resource=MDE)
        found = session.get(f"{sandbox.url}{ALERTS}/ed9_9", timeout=30).json()["evidence"]

    assert [one["entityType"] for one in found] == [
        "Process", "File", "User", "Ip", "Url", "Registry", "Registry",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("severity eq 'High'", lambda a: a["severity"] == "High"),
        ("status ne 'New'", lambda a: a["status"] != "New"),
        ("assignedTo eq null", lambda a: a["assignedTo"] is None),
        ("incidentId ge 5000 and incidentId lt 7000", lambda a: 5000 <= a["incidentId"] < 7000),
        (
            "(status eq 'New' or status eq 'Resolved') and category eq 'Execution'",
            lambda a: a["status"] in ("New", "Resolved") and a["category"] == "Execution",
        ),
    ],
)
def test_filters_mean_what_they_say(
    get: Get, text: str, holds: Callable[[dict[str, Any]], bool]
) -> None:
    """Comparisons of words and numbers, `and`, `or` and parentheses select what they should."""
    everything = get(ALERTS)["value"]

    assert get(ALERTS, filter=text)["value"] == [one for one in everything if holds(one)]


@pytest.mark.parametrize("name", ["alertCreationTime", "lastUpdateTime", "lastEventTime"])
def test_filters_compare_all_seven_digits(get: Get, name: str) -> None:
    """An instant one tick away from an alert's decides about it."""
    latest = max(instant(one[name]) for one in get(ALERTS)["value"]) + moments.UNIX_EPOCH

    assert get(ALERTS, filter=f"{name} ge {moments.text(latest)}")["value"]
    assert get(ALERTS, filter=f"{name} gt {moments.text(latest)}")["value"] == []
    assert get(ALERTS, filter=f"{name} gt {moments.text(latest - 1)}")["value"]


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "title eq 'x'"},
        {"filter": "severity gt 'Low'"},
        {"filter": "severity eq High"},
        {"filter": "incidentId eq '7'"},
        {"filter": "incidentId eq seven"},
        {"filter": "alertCreationTime gt '2026-01-01T00:00:00Z'"},
        {"filter": "alertCreationTime gt yesterday"},
        {"filter": "status like 'New'"},
        {"expand": "machine"},
        {"orderby": "lastUpdateTime"},
        {"top": "10001"},
        {"skip": "-1"},
    ],
)
def test_bad_options_are_refused(get: Get, options: dict[str, str]) -> None:
    """Whatever the service does not know is 400 in its own envelope."""
    error = get(ALERTS, 400, **options)["error"]

    assert error["code"] == "BadRequest"
    assert set(error) == {"code", "message", "target"}


def test_pages_have_links_unless_top_is_asked_for(small: Tenant, sign_in: SignIn) -> None:
    """Links lead through all pages and keep the options; with `$top` there are none."""
    faults = Faults(mde_page_size=7, mde_requests_per_minute=1_000)
    with Sandbox(small, faults=faults) as sandbox, sign_in(sandbox, resource=MDE) as session:
        body = session.get(f"{sandbox.url}{ALERTS}?$expand=evidence", timeout=30).json()
        seen = body["value"]
        while link := body.get("@odata.nextLink"):
            body = session.get(link, timeout=30).json()
            seen += body["value"]
        topped = session.get(f"{sandbox.url}{ALERTS}?$top=10000&$skip=3", timeout=30).json()

    assert [one["id"] for one in seen[3:10]] == [one["id"] for one in topped["value"]]
    assert "@odata.nextLink" not in topped
    assert sorted(one["id"] for one in seen) == sorted(native(small))
    assert any(one["evidence"] for one in seen[7:])


def test_related_entities_are_those_of_the_evidence(get: Get, small: Tenant) -> None:
    """Files, addresses, hosts, the user and the machine of an alert have routes of their own."""
    known = native(small)
    wanted = {"fileEvidence", "urlEvidence", "ipEvidence", "userEvidence", "deviceEvidence"}
    alert = next(one for one in known.values() if all(kinds(one, kind) for kind in wanted))
    path = f"{ALERTS}/{alert['id']}"
    user = kinds(alert, "userEvidence")[0]["userAccount"]

    assert kinds(alert, "fileEvidence")[0]["fileDetails"]["sha1"] in {
        one["sha1"] for one in get(f"{path}/files")["value"]
    }
    assert [one["id"] for one in get(f"{path}/ips")["value"]] == [
        one["ipAddress"] for one in kinds(alert, "ipEvidence")
    ]
    assert get(f"{path}/domains")["value"] == [{"host": "cdn-update.example.net"}]
    assert get(f"{path}/user")["accountName"] == user["accountName"]
    assert get(f"{path}/machine")["id"] == kinds(alert, "deviceEvidence")[0]["mdeDeviceId"]


def test_what_is_not_there_is_not_found(get: Get, small: Tenant) -> None:
    """Unknown alerts, alerts of other products, absent users and machines and paths are 404."""
    alerts: list[dict[str, Any]] = small.alerts
    cloud = next(one["id"] for one in alerts if one["id"][:2] in ("ca", "sn"))
    silent = next(one["id"] for one in alerts if one["id"] and not one["evidence"])
    paths = [
        f"{ALERTS}/da1_1", f"{ALERTS}/da1_1/files", f"{ALERTS}/{cloud}", f"{ALERTS}/{silent}/user",
        f"{ALERTS}/{silent}/machine", "/api/nothing",
    ]  # fmt: skip
    errors = [get(path, 404)["error"] for path in paths]

    assert {error["code"] for error in errors} == {"ResourceNotFound"}
    assert all(error["target"] for error in errors)
    assert get(f"{ALERTS}/{silent}/files")["value"] == []


def test_machines_are_the_fleet(get: Get, small: Tenant) -> None:
    """Each device is there once, can be filtered for, and is paged by `$top` and `$skip`."""
    found = get(MACHINES)["value"]
    paged = get(MACHINES, top="2")["value"] + get(MACHINES, top="1000", skip="2")["value"]
    linux = get(MACHINES, filter="osPlatform eq 'Linux' and healthStatus eq 'Active'")["value"]

    assert [one["id"] for one in found] == [device.id for device in small.devices]
    assert paged == found
    assert linux == [one for one in found if one["osPlatform"] == "Linux"]


def test_no_machine_is_404_and_no_empty_list(get: Get) -> None:
    """An empty result of machines is an error, unlike that of alerts."""
    assert get(MACHINES, 404, filter="computerDnsName eq 'nobody'")["error"]["code"]
    assert get(ALERTS, filter="id eq 'nobody'")["value"] == []
