from pathlib import Path

import pytest

from etl.errors import ConfigError
from etl.settings import CLOUDS, Settings, lake_folder

SECRET = "s3cr3t~Value"
GOOD = {
    "AZURE_TENANT_ID": "11111111-2222-3333-4444-555555555555",
    "AZURE_CLIENT_ID": "66666666-7777-8888-9999-000000000000",
    "AZURE_CLIENT_SECRET": SECRET,
}


def test_the_three_names_are_enough() -> None:
    """Tenant, application and secret are all that must be set; the rest has defaults."""
    settings = Settings.read(GOOD)
    assert (settings.tenant_id, settings.client_secret) == (GOOD["AZURE_TENANT_ID"], SECRET)
    assert (settings.authority, settings.graph_url) == CLOUDS["global"]
    assert settings.lake == Path("lake").absolute()
    assert settings.ca_bundle is None
    numbers = settings.hunting_max_rows, settings.hunting_calls_per_minute
    assert (*numbers, settings.match_tolerance_ms) == (100_000, 45, 10)


@pytest.mark.parametrize("name", sorted(GOOD))
@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_what_is_missing_is_named(name: str, value: str | None) -> None:
    """A missing, empty or blank setting is an error that names it."""
    environment = {key: text for key, text in (GOOD | {name: value}).items() if text is not None}
    with pytest.raises(ConfigError, match=f"^{name}: is not set") as error:
        Settings.read(environment)
    assert error.value.name == name
    assert error.value.exit_status == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AZURE_TENANT_ID", "../common"),
        ("AZURE_TENANT_ID", "a/b"),
        ("AZURE_TENANT_ID", "tenant id"),
        ("AZURE_TENANT_ID", "x" * 129),
        ("AZURE_TENANT_ID", "-x"),
        ("AZURE_AUTHORITY_HOST", "http://login.microsoftonline.com"),
        ("AZURE_AUTHORITY_HOST", "https://"),
        ("DEFENDER_GRAPH_URL", "http://graph.microsoft.com"),
        ("DEFENDER_GRAPH_URL", "https://graph.microsoft.com/v1.0"),
        ("DEFENDER_GRAPH_URL", "https://user:word@graph.microsoft.com"),
        ("DEFENDER_GRAPH_URL", "https://graph.microsoft.com?x=1"),
        ("DEFENDER_GRAPH_URL", "https://[::1"),
        ("DEFENDER_GRAPH_URL", "https://graph.microsoft.com:port"),
        ("DEFENDER_GRAPH_URL", "file:///etc/passwd"),
        ("DEFENDER_CLOUD", "moon"),
        ("DEFENDER_CLOUD", "Global "),
        ("DEFENDER_AUTH", "certificate"),
        ("DEFENDER_ALERTS", "mde"),
        ("DEFENDER_LAKE", "s3://bucket/lake"),
        ("DEFENDER_LAKE", "abfss://c@account.dfs.core.windows.net/lake"),
        ("REQUESTS_CA_BUNDLE", "/no/such/file.pem"),
        ("DEFENDER_HUNTING_MAX_ROWS", "0"),
        ("DEFENDER_HUNTING_MAX_ROWS", "-5"),
        ("DEFENDER_HUNTING_MAX_ROWS", "many"),
        ("DEFENDER_HUNTING_MAX_ROWS", "1e5"),
        ("DEFENDER_HUNTING_MAX_ROWS", "9" * 5000),
        ("DEFENDER_HUNTING_CALLS_PER_MINUTE", "0"),
        ("DEFENDER_HUNTING_CALLS_PER_MINUTE", "4.5"),
        ("DEFENDER_MATCH_TOLERANCE_MS", "-1"),
        ("DEFENDER_MATCH_TOLERANCE_MS", "10ms"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str) -> None:
    """Every setting that cannot be used is an error that names it and never the secret."""
    with pytest.raises(ConfigError, match=f"^{name}: ") as error:
        Settings.read(GOOD | {name: value})
    assert error.value.name == name
    assert SECRET not in str(error.value)


def test_the_secret_is_in_no_repr() -> None:
    """Printing the settings does not print the secret."""
    assert SECRET not in f"{Settings.read(GOOD)!r} {Settings.read(GOOD)!s}"


@pytest.mark.parametrize("name", sorted(set(GOOD) - {"AZURE_CLIENT_SECRET"}))
def test_the_secret_is_in_no_message(name: str) -> None:
    """An error about another setting does not tell the secret."""
    with pytest.raises(ConfigError) as error:
        Settings.read(GOOD | {name: ""})
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("cloud", sorted(CLOUDS))
def test_each_cloud_has_its_hosts(cloud: str) -> None:
    """A cloud's name chooses both hosts."""
    settings = Settings.read(GOOD | {"DEFENDER_CLOUD": cloud})
    assert (settings.authority, settings.graph_url) == CLOUDS[cloud]


@pytest.mark.parametrize(
    "value", ["https://localhost:8443", "https://localhost:8443/", "localhost:8443"]
)
def test_hosts_may_be_given_in_azures_forms(value: str) -> None:
    """A host may come without scheme or with a slash at its end, as Azure's tools take it."""
    settings = Settings.read(GOOD | {"DEFENDER_GRAPH_URL": value, "AZURE_AUTHORITY_HOST": value})
    assert settings.graph_url == settings.authority == "https://localhost:8443"


@pytest.mark.parametrize(
    "name", ["DEFENDER_CLOUD", "DEFENDER_LAKE", "DEFENDER_HUNTING_MAX_ROWS", "REQUESTS_CA_BUNDLE"]
)
def test_an_empty_setting_is_an_unset_one(name: str) -> None:
    """An optional variable that is set to nothing means its default."""
    assert Settings.read(GOOD | {name: ""}) == Settings.read(GOOD)


def test_the_lake_needs_nothing_else(tmp_path: Path) -> None:
    """Reading the lake takes its folder alone, which becomes absolute."""
    assert lake_folder({"DEFENDER_LAKE": str(tmp_path)}) == tmp_path
    assert lake_folder({"DEFENDER_LAKE": "~/x"}) == Path.home() / "x"
    assert lake_folder({}).is_absolute()
