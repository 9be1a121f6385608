"""What the sandbox's own tests share: a small tenant, its server and a signed-in session."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from etl.sandbox import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Faults, Sandbox, Tenant
from etl.sandbox.engine import Engine
from etl.sandbox.entra import GRAPH
from etl.sandbox.mde import AUDIENCE

Rows = list[dict[str, Any]]
UNHURRIED = 1_000_000


@pytest.fixture(scope="session")
def small() -> Tenant:
    """Return a small tenant."""
    return Tenant.generate(seed=5, scale=0.1, days=3)


@pytest.fixture(scope="session")
def sandbox(small: Tenant) -> Iterator[Sandbox]:
    """Serve the small tenant in good health and without quotas that tests could reach."""
    faults = Faults(
        calls_per_minute=UNHURRIED,
        alert_requests_per_minute=UNHURRIED,
        mde_requests_per_minute=UNHURRIED,
    )
    with Sandbox(small, faults=faults) as served:
        yield served


@pytest.fixture(scope="session")
def engine(small: Tenant) -> Iterator[Engine]:
    """Return the query engine of the small tenant, without HTTP in front."""
    engine = Engine(small.tables)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def sign_in() -> Callable[..., requests.Session]:
    """Return what opens a session with a token of a sandbox."""
    return open_session


@pytest.fixture(scope="session")
def graph(sandbox: Sandbox) -> requests.Session:
    """Return a session that is signed in."""
    return open_session(sandbox)


@pytest.fixture(scope="session")
def endpoint(sandbox: Sandbox) -> requests.Session:
    """Return a session that is signed in to Defender for Endpoint's own API."""
    return open_session(sandbox, resource=AUDIENCE)


@pytest.fixture(scope="session")
def hunt(sandbox: Sandbox, graph: requests.Session) -> Callable[[str], Rows]:
    """Return what runs a query and returns its rows."""

    def run(query: str) -> Rows:
        response = graph.post(
            f"{sandbox.url}/v1.0/security/runHuntingQuery", json={"Query": query}, timeout=30
        )
        assert response.status_code == 200, response.text
        rows: Rows = response.json()["results"]
        return rows

    return run


def open_session(
    sandbox: Sandbox, tenant: str = TENANT_ID, resource: str = GRAPH
) -> requests.Session:
    """Sign in and return a session that trusts the sandbox and carries the token."""
    session = requests.Session()
    session.trust_env = False
    session.verify = sandbox.environment["REQUESTS_CA_BUNDLE"]
    answer = session.post(
        f"{sandbox.url}/{tenant}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": f"{resource}/.default",
        },
        timeout=30,
    )
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return session
