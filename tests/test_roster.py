"""The settings file: several tenants over one environment, and no secret of one with another."""

import re
from pathlib import Path

import pytest

from etl.errors import ConfigError
from etl.settings import Settings

A, B = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
SECRET = "s3cr3t~Value"
OTHERS = "an0ther~Secret"
SHARED = {
    "DEFENDER_LAKE": "/lake",
    "DEFENDER_HUNTING_CALLS_PER_MINUTE": "7",
    "CONTOSO_SECRET": SECRET,
    "FABRIKAM_SECRET": OTHERS,
}
CONTOSO = f"""
[[tenant]]
name = "contoso"
AZURE_TENANT_ID = "{A}"
AZURE_CLIENT_ID = "app-a"
AZURE_CLIENT_SECRET_FROM = "CONTOSO_SECRET"
"""
FABRIKAM = f"""
[[tenant]]
name = "fabrikam"
AZURE_TENANT_ID = "{B}"
AZURE_CLIENT_ID = "app-b"
AZURE_CLIENT_SECRET_FROM = "FABRIKAM_SECRET"
DEFENDER_HUNTING_CALLS_PER_MINUTE = 9
"""


def every(folder: Path, text: str | bytes, **more: str) -> tuple[Settings, ...]:
    """Read the tenants of a file with this text."""
    file = folder / "tenants.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Settings.every({**SHARED, **more, "DEFENDER_SETTINGS": str(file)})


def refused(folder: Path, text: str | bytes, **more: str) -> str:
    """Return the one line that refuses a file, which names it."""
    with pytest.raises(ConfigError) as raised:
        every(folder, text, **more)
    line = str(raised.value)
    assert "tenants.toml" in line
    assert "\n" not in line
    return line


def test_without_a_file_there_is_the_environment_s_tenant() -> None:
    """One tenant that is named by its id, as ever."""
    environment = {"AZURE_TENANT_ID": A, "AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": SECRET}
    (only,) = Settings.every(environment)

    assert only == Settings.read(environment)
    assert only.name == A


def test_each_tenant_is_laid_over_the_environment(tmp_path: Path) -> None:
    """What a table does not say, the environment says; lake and order are those of all."""
    contoso, fabrikam = every(tmp_path, CONTOSO + FABRIKAM)

    assert (contoso.name, contoso.tenant_id, contoso.client_secret) == ("contoso", A, SECRET)
    assert (fabrikam.name, fabrikam.tenant_id, fabrikam.client_secret) == ("fabrikam", B, OTHERS)
    assert (contoso.hunting_calls_per_minute, fabrikam.hunting_calls_per_minute) == (7, 9)
    assert contoso.lake == fabrikam.lake == Path("/lake")


@pytest.mark.parametrize(
    "name",
    [
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_FEDERATED_TOKEN_FILE",
    ],
)
def test_no_identity_comes_from_the_environment(tmp_path: Path, name: str) -> None:
    """A tenant that does not say who its application is, is not asked as another's."""
    line = refused(tmp_path, '[[tenant]]\nname = "contoso"\n', **{name: "of-another"})

    assert "contoso" in line
    assert "of-another" not in line


def test_a_sign_in_of_the_environment_is_not_that_of_a_tenant(tmp_path: Path) -> None:
    """A tenant with a certificate uses it, whatever the environment signs in with."""
    text = CONTOSO.replace(
        'AZURE_CLIENT_SECRET_FROM = "CONTOSO_SECRET"', 'AZURE_CLIENT_CERTIFICATE_PATH = "/c.pem"'
    )
    (only,) = every(
        tmp_path, text, DEFENDER_AUTH="managed-identity", AZURE_CLIENT_SECRET="of-another"
    )

    assert (only.auth, only.client_secret) == ("certificate", None)


def test_a_cloud_of_its_own_has_its_own_hosts(tmp_path: Path) -> None:
    """Hosts of the environment are for tenants that do not name their cloud."""
    hosts = {"AZURE_AUTHORITY_HOST": "https://l.example", "DEFENDER_GRAPH_URL": "https://g.example"}
    contoso, fabrikam = every(tmp_path, f'{CONTOSO}{FABRIKAM}DEFENDER_CLOUD = "dod"\n', **hosts)

    assert (contoso.authority, contoso.graph_url) == ("https://l.example", "https://g.example")
    assert fabrikam.authority == "https://login.microsoftonline.us"
    assert fabrikam.graph_url == "https://dod-graph.microsoft.us"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("AZURE_CLIENT_SECRET", "CONTOSO_SECRET"),
        ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "CONTOSO_SECRET"),
    ],
)
def test_a_secret_does_not_stand_in_the_file(tmp_path: Path, name: str, source: str) -> None:
    """A secret in the file is refused with the way to name it, and is not repeated."""
    line = refused(tmp_path, f'{CONTOSO}{name} = "{SECRET}"\n', **{source: SECRET})

    assert f"{name}_FROM" in line
    assert SECRET not in line


def test_a_secret_in_place_of_a_variable_s_name_is_not_shown(tmp_path: Path) -> None:
    """Who writes the secret where its variable belongs, does not find it in the log."""
    line = refused(tmp_path, CONTOSO.replace("CONTOSO_SECRET", SECRET))

    assert "AZURE_CLIENT_SECRET_FROM" in line
    assert SECRET not in line


def test_a_password_is_read_from_its_variable(tmp_path: Path) -> None:
    """The password of a certificate comes from the variable that the file names."""
    text = CONTOSO.replace(
        'AZURE_CLIENT_SECRET_FROM = "CONTOSO_SECRET"',
        'AZURE_CLIENT_CERTIFICATE_PATH = "/c.pem"\n'
        'AZURE_CLIENT_CERTIFICATE_PASSWORD_FROM = "CONTOSO_SECRET"',
    )
    (only,) = every(tmp_path, text)

    assert (only.auth, only.certificate_password) == ("certificate", SECRET)
    assert SECRET not in repr(only)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no .*tenant"),
        ("tenant = 5", "has no .*tenant"),
        ("tenant = [1]", "has no .*tenant"),
        ("[tenant]\nname = 'a'", "has no .*tenant"),
        ("tenant = []", "has no .*tenant"),
        ("[[tenant", "is no TOML"),
        (b"\xff\xfe", "is no text"),
        ("x = " + "[" * 5000, "is no TOML"),
        (f"{CONTOSO}[other]\n", "other: is not known"),
        (f"lake = 'x'\n{CONTOSO}", "lake: is not known"),
        ("[[tenant]]\n", "no name"),
        ("[[tenant]]\nname = ''\n", "no name"),
        ("[[tenant]]\nname = 'a b'\n", "no name"),
        ("[[tenant]]\nname = '../a'\n", "no name"),
        ("[[tenant]]\nname = 5\n", "no name"),
        (CONTOSO + CONTOSO.replace(A, B), "two tenants are named contoso"),
        (CONTOSO + CONTOSO.replace(A, B).replace("contoso", "Contoso"), "named Contoso"),
        (
            CONTOSO.replace('"contoso"', '"a-b"') + FABRIKAM.replace('"fabrikam"', '"a_b"'),
            "two tenants are named a_b",
        ),
        (CONTOSO + FABRIKAM.replace(B, A.upper()), "fabrikam.*AZURE_TENANT_ID: .* contoso"),
        (f"{CONTOSO}DEFENDER_LAKE = '/x'\n", "contoso: DEFENDER_LAKE: is one for all"),
        (f"{CONTOSO}DEFENDER_STATE = '/x'\n", "contoso: DEFENDER_STATE: is one for all"),
        (f"{CONTOSO}DEFENDER_LAKES = '/x'\n", "contoso: DEFENDER_LAKES: is no setting"),
        (f"{CONTOSO}DEFENDER_SETTINGS = '/x'\n", "DEFENDER_SETTINGS: is no setting"),
        (f"{CONTOSO}PATH_FROM = 'HOME'\n", "PATH_FROM: is no setting"),
        (f"{CONTOSO}DEFENDER_CLOUD = true\n", "DEFENDER_CLOUD: is neither text nor a number"),
        (f"{CONTOSO}DEFENDER_CLOUD = ['dod']\n", "DEFENDER_CLOUD: is neither text nor a number"),
        (f"{CONTOSO}DEFENDER_CLOUD = 'moon'\n", "contoso: DEFENDER_CLOUD: 'moon'"),
        (CONTOSO.replace("CONTOSO_SECRET", "NOT_SET"), "'NOT_SET' is not set"),
        (CONTOSO.replace(f'"{A}"', '"../x"'), "contoso: AZURE_TENANT_ID: '../x'"),
    ],
)
def test_what_is_wrong_names_file_and_key(tmp_path: Path, text: str | bytes, says: str) -> None:
    """Each thing that is wrong with the file is one line with the file, the tenant and the key."""
    assert re.search(says, refused(tmp_path, text))


@pytest.mark.parametrize("place", ["none.toml", ""])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, place: str) -> None:
    """A file that is not there, or is a folder, is an error about the setting that names it."""
    with pytest.raises(ConfigError, match="DEFENDER_SETTINGS"):
        Settings.every({"DEFENDER_SETTINGS": str(tmp_path / place)})
