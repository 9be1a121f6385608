from dataclasses import astuple
from pathlib import Path

import pytest

from etl.clouds import CLOUDS
from etl.errors import ConfigError
from etl.settings import Settings, lake_folder

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
    hosts = settings.authority, settings.graph_url, settings.mde_url, settings.mde_resource
    assert hosts == astuple(CLOUDS["global"])[:4]
    assert (settings.name, settings.auth, settings.alerts) == (
        settings.tenant_id,
        "secret",
        "graph",
    )
    assert settings.lake == Path("lake").absolute()
    assert settings.ca_bundle is None
    numbers = settings.hunting_max_rows, settings.hunting_calls_per_minute
    assert (*numbers, settings.match_tolerance_ms) == (100_000, 45, 10)
    assert (settings.alert_overlap_minutes, settings.memory_mb) == (60, 1024)
    quota = settings.hunting_reserve_percent, settings.hunting_parallel, settings.hunting_rate
    assert (*quota, settings.landing_minutes) == (10, 4, 40, 40)
    assert settings.state == Path.home() / ".cache" / "defender-etl"


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
        ("DEFENDER_AUTH", "password"),
        ("DEFENDER_AUTH", "Secret"),
        ("DEFENDER_ALERTS", "sentinel"),
        ("DEFENDER_ALERT_OVERLAP_MINUTES", "-1"),
        ("DEFENDER_ALERT_OVERLAP_MINUTES", "1h"),
        ("DEFENDER_MEMORY_MB", "255"),
        ("DEFENDER_MEMORY_MB", "1GB"),
        ("DEFENDER_MDE_URL", "http://api.security.microsoft.com"),
        ("DEFENDER_MDE_URL", "https://api.security.microsoft.com/api"),
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
        ("DEFENDER_HUNTING_RESERVE_PERCENT", "-1"),
        ("DEFENDER_HUNTING_RESERVE_PERCENT", "91"),
        ("DEFENDER_HUNTING_RESERVE_PERCENT", "10%"),
        ("DEFENDER_HUNTING_PARALLEL", "0"),
        ("DEFENDER_HUNTING_PARALLEL", "all"),
        ("DEFENDER_LANDING_MINUTES", "-1"),
        ("DEFENDER_LANDING_MINUTES", "0.5"),
        ("DEFENDER_STATE", "~nobody-of-this-name/state"),
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
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("calls", "reserve", "rate"),
    [("45", "0", 45), ("45", "10", 40), ("45", "90", 4), ("1", "90", 1), ("100000", "25", 75_000)],
)
def test_a_share_of_the_quota_is_left_for_others(calls: str, reserve: str, rate: int) -> None:
    """What is spent is the calls without the reserve, rounded down, but one at least."""
    chosen = {
        "DEFENDER_HUNTING_CALLS_PER_MINUTE": calls,
        "DEFENDER_HUNTING_RESERVE_PERCENT": reserve,
    }
    assert Settings.read(GOOD | chosen).hunting_rate == rate


def test_the_state_is_with_the_caches_unless_named() -> None:
    """The folder that processes share may be named, else it is where caches are."""
    cached = Settings.read(GOOD | {"XDG_CACHE_HOME": "/c"})
    named = Settings.read(GOOD | {"XDG_CACHE_HOME": "/c", "DEFENDER_STATE": "~/x"})

    assert cached.state == Path("/c/defender-etl")
    assert named.state == Path.home() / "x"


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
    """A cloud's name chooses all hosts, and what tokens are for."""
    settings = Settings.read(GOOD | {"DEFENDER_CLOUD": cloud})
    hosts = settings.authority, settings.graph_url, settings.mde_url, settings.mde_resource

    assert hosts == astuple(CLOUDS[cloud])[:4]
    assert settings.graph_resource == settings.graph_url


def test_tokens_are_for_the_cloud_whatever_the_host() -> None:
    """Hosts that are overridden leave alone what tokens are asked for."""
    hosts = {"DEFENDER_GRAPH_URL": "https://g.example", "DEFENDER_MDE_URL": "https://m.example"}
    settings = Settings.read(GOOD | hosts | {"DEFENDER_CLOUD": "dod"})

    assert (settings.graph_url, settings.mde_url) == ("https://g.example", "https://m.example")
    assert settings.graph_resource == "https://dod-graph.microsoft.us"
    assert settings.mde_resource == "https://api-gov.securitycenter.microsoft.us"


WAYS = {
    "secret": {"AZURE_CLIENT_SECRET": SECRET},
    "certificate": {"AZURE_CLIENT_CERTIFICATE_PATH": "/c.pem"},
    "workload-identity": {"AZURE_FEDERATED_TOKEN_FILE": "/token"},
    "managed-identity": {"DEFENDER_AUTH": "managed-identity"},
    "device-code": {"DEFENDER_AUTH": "device-code"},
}
BARE = {name: GOOD[name] for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID")}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_set_implies_the_sign_in(way: str) -> None:
    """The one variable of a sign-in chooses it, and saying so as well changes nothing."""
    settings = Settings.read(BARE | WAYS[way])

    assert settings.auth == way
    assert Settings.read(BARE | WAYS[way] | {"DEFENDER_AUTH": way}) == settings


@pytest.mark.parametrize("way", WAYS)
def test_a_chosen_sign_in_reads_nothing_of_the_others(way: str) -> None:
    """With everything set, only what the chosen sign-in needs is kept."""
    everything = {name: value for one in WAYS.values() for name, value in one.items()}
    chosen = Settings.read(BARE | everything | {"DEFENDER_AUTH": way})
    alone = Settings.read(BARE | WAYS[way] | {"DEFENDER_AUTH": way})

    assert chosen == alone


def test_a_secret_goes_before_a_certificate_and_that_before_a_token() -> None:
    """Where several are set and none is chosen, the order is that of Azure's own libraries."""
    present = dict(BARE)
    found = []
    for way in ("workload-identity", "certificate", "secret"):
        present |= WAYS[way]
        found.append(Settings.read(present).auth)

    assert found == ["workload-identity", "certificate", "secret"]


def test_no_sign_in_at_all_names_the_choices() -> None:
    """Where nothing to sign in with is set, the line lists what would do."""
    with pytest.raises(ConfigError) as error:
        Settings.read(BARE)

    for choice in (*list(WAYS["certificate"]), *list(WAYS["workload-identity"]), *list(WAYS)[3:]):
        assert choice in str(error.value)


@pytest.mark.parametrize(
    ("way", "lacking"),
    [
        ("certificate", "AZURE_CLIENT_CERTIFICATE_PATH"),
        ("workload-identity", "AZURE_FEDERATED_TOKEN_FILE"),
        ("secret", "AZURE_CLIENT_SECRET"),
        ("certificate", "AZURE_CLIENT_ID"),
        ("workload-identity", "AZURE_CLIENT_ID"),
        ("device-code", "AZURE_CLIENT_ID"),
        ("managed-identity", "AZURE_TENANT_ID"),
    ],
)
def test_what_the_sign_in_lacks_is_named(way: str, lacking: str) -> None:
    """Each thing that the chosen sign-in needs is named when it is missing."""
    environment = BARE | WAYS[way] | {"DEFENDER_AUTH": way, lacking: ""}
    with pytest.raises(ConfigError, match=f"^{lacking}: is not set"):
        Settings.read(environment)


def test_a_machine_needs_no_application() -> None:
    """A managed identity may be the machine's own, which has no name."""
    environment = {"AZURE_TENANT_ID": GOOD["AZURE_TENANT_ID"], "DEFENDER_AUTH": "managed-identity"}

    assert Settings.read(environment).client_id is None
    assert Settings.read(environment | BARE).client_id == GOOD["AZURE_CLIENT_ID"]


def test_the_password_is_in_no_repr() -> None:
    """Printing the settings does not print the certificate's password."""
    settings = Settings.read(
        BARE | WAYS["certificate"] | {"AZURE_CLIENT_CERTIFICATE_PASSWORD": SECRET}
    )

    assert settings.certificate_password == SECRET
    assert SECRET not in f"{settings!r} {settings!s}"


def test_tokens_of_people_are_kept_apart() -> None:
    """Each tenant has its own file of tokens, unless one is named."""
    person = BARE | WAYS["device-code"]
    kept = Settings.read(person | {"XDG_CACHE_HOME": "/c"}).token_cache
    other = Settings.read(person | {"XDG_CACHE_HOME": "/c", "AZURE_TENANT_ID": "b.example"})

    assert kept is not None
    assert kept.is_relative_to("/c/defender-etl")
    assert other.token_cache != kept
    assert Settings.read(person | {"DEFENDER_TOKEN_CACHE": "/x/t"}).token_cache == Path("/x/t")
    usual = Settings.read(person).token_cache
    assert usual is not None
    assert usual.is_relative_to(Path.home() / ".cache" / "defender-etl")


@pytest.mark.parametrize(
    "value", ["https://localhost:8443", "https://localhost:8443/", "localhost:8443"]
)
def test_hosts_may_be_given_in_azures_forms(value: str) -> None:
    """A host may come without scheme or with a slash at its end, as Azure's tools take it."""
    settings = Settings.read(GOOD | {"DEFENDER_GRAPH_URL": value, "AZURE_AUTHORITY_HOST": value})
    assert settings.graph_url == settings.authority == "https://localhost:8443"


@pytest.mark.parametrize(
    "name",
    [
        "DEFENDER_CLOUD",
        "DEFENDER_LAKE",
        "DEFENDER_STATE",
        "DEFENDER_HUNTING_MAX_ROWS",
        "DEFENDER_HUNTING_PARALLEL",
        "REQUESTS_CA_BUNDLE",
    ],
)
def test_an_empty_setting_is_an_unset_one(name: str) -> None:
    """An optional variable that is set to nothing means its default."""
    assert Settings.read(GOOD | {name: ""}) == Settings.read(GOOD)


def test_the_lake_needs_nothing_else(tmp_path: Path) -> None:
    """Reading the lake takes its folder alone, which becomes absolute."""
    assert lake_folder({"DEFENDER_LAKE": str(tmp_path)}) == tmp_path
    assert lake_folder({"DEFENDER_LAKE": "~/x"}) == Path.home() / "x"
    assert lake_folder({}).is_absolute()
