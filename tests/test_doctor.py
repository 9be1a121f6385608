"""What the doctor finds out about each tenant, against a sandbox of several."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.errors import SignInRefused
from etl.reports.diagnosis import Finding, examine
from etl.sandbox import Sandbox, Tenant

OTHER = "0f4e1c7a-5b2d-4c3e-9a8f-6d7b8c9e0a1b"
SOUND = ["settings", "sign-in", "SecurityAlert.Read.All", "ThreatHunting.Read.All", "lake"]


@pytest.fixture
def pair() -> Iterator[Sandbox]:
    """Serve two tenants without alerts."""
    with Sandbox(Tenant.of([]), others=[Tenant.of([], id=OTHER)]) as sandbox:
        yield sandbox


def alone(sandbox: Sandbox, folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of the first tenant, with folders of its own."""
    own = {"DEFENDER_LAKE": str(folder / "lake"), "DEFENDER_STATE": str(folder / "state")}
    return sandbox.environment | own | more


def both(sandbox: Sandbox, folder: Path, **more: str) -> dict[str, str]:
    """Return an environment whose settings file names both tenants."""
    environment = alone(sandbox, folder, **more)
    secret = environment.pop("AZURE_CLIENT_SECRET")
    client = environment.pop("AZURE_CLIENT_ID")
    first = environment.pop("AZURE_TENANT_ID")
    tables = [
        f'[[tenant]]\nname = "{name}"\nAZURE_TENANT_ID = "{tenant}"\n'
        f'AZURE_CLIENT_ID = "{client}"\nAZURE_CLIENT_SECRET_FROM = "A_SECRET"\n'
        for name, tenant in (("contoso", first), ("fabrikam", OTHER))
    ]
    file = folder / "tenants.toml"
    file.write_text("".join(tables))
    return environment | {"A_SECRET": secret, "DEFENDER_SETTINGS": str(file)}


def failed(findings: list[Finding]) -> list[str]:
    """Return the names of what is not well."""
    return [finding.name for finding in findings if finding.problem is not None]


def test_one_tenant_is_examined_without_its_name(pair: Sandbox, tmp_path: Path) -> None:
    """Settings, sign-in, permissions and lake are told in order; the sign-in says which it is."""
    findings = list(examine(alone(pair, tmp_path)))

    assert [finding.name for finding in findings] == SOUND
    assert failed(findings) == []
    assert findings[1].detail.startswith("by secret as application ")
    assert "ThreatHunting.Read.All" in findings[1].detail


def test_several_tenants_are_examined_in_turn(pair: Sandbox, tmp_path: Path) -> None:
    """Each finding has the name of its tenant in front."""
    findings = list(examine(both(pair, tmp_path)))

    assert [finding.name for finding in findings] == [
        f"{tenant}: {name}" for tenant in ("contoso", "fabrikam") for name in SOUND
    ]
    assert failed(findings) == []


def test_one_tenant_that_fails_hides_no_other(pair: Sandbox, tmp_path: Path) -> None:
    """What hangs on a sign-in that fails is left out, for that tenant alone."""
    pair.applications[pair.tenant.id].enabled = False
    findings = list(examine(both(pair, tmp_path)))

    assert failed(findings) == ["contoso: sign-in"]
    assert isinstance(findings[1].problem, SignInRefused)
    assert "fabrikam: ThreatHunting.Read.All" in [finding.name for finding in findings]


def test_alerts_of_the_older_api_are_asked_for_there(pair: Sandbox, tmp_path: Path) -> None:
    """Where alerts come from Defender for Endpoint, its own permission is looked at."""
    environment = alone(pair, tmp_path, DEFENDER_ALERTS="mde")
    well = list(examine(environment))
    pair.applications[pair.tenant.id].roles = ("ThreatHunting.Read.All",)

    assert [finding.name for finding in well if "Alert" in finding.name] == ["Alert.Read.All"]
    assert failed(well) == []
    assert failed(list(examine(environment))) == ["Alert.Read.All"]


def test_a_settings_file_that_is_wrong_leaves_the_lake(pair: Sandbox, tmp_path: Path) -> None:
    """Where no tenant can be read, the lake is looked at all the same."""
    environment = both(pair, tmp_path) | {"A_SECRET": ""}
    findings = list(examine(environment))

    assert [finding.name for finding in findings] == ["settings", "lake"]
    assert failed(findings) == ["settings"]
