"""Microsoft's own SDK against the sandbox: what it accepts is what the service would send."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from azure.identity import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.security.alert import Alert
from msgraph.generated.models.security.alert_evidence import AlertEvidence
from msgraph.generated.models.security.hunting_query_results import HuntingQueryResults
from msgraph.generated.models.security.process_evidence import ProcessEvidence
from msgraph.generated.security.alerts_v2.alerts_v2_request_builder import Alerts_v2RequestBuilder
from msgraph.generated.security.microsoft_graph_security_run_hunting_query import (
    run_hunting_query_post_request_body as hunting,
)
from msgraph_core import GraphClientFactory, PageIterator

from etl.sandbox import Sandbox, Tenant

PAGE = 10


@asynccontextmanager
async def client(sandbox: Sandbox) -> AsyncIterator[GraphServiceClient]:
    """Lend the SDK's client, pointed at the sandbox as a national cloud would be."""
    settings = sandbox.environment
    credential = ClientSecretCredential(
        settings["AZURE_TENANT_ID"],
        settings["AZURE_CLIENT_ID"],
        settings["AZURE_CLIENT_SECRET"],
        authority=settings["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
        connection_verify=settings["REQUESTS_CA_BUNDLE"],
    )
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=[f"{sandbox.url}/.default"], allowed_hosts=["localhost"]
    )
    trust = ssl.create_default_context(cafile=settings["REQUESTS_CA_BUNDLE"])
    async with httpx.AsyncHTTPTransport(verify=trust) as transport:  # the SDK does not close it
        plain = httpx.AsyncClient(transport=transport, base_url=sandbox.url)
        http = GraphClientFactory.create_with_default_middleware(client=plain)
        adapter = GraphRequestAdapter(provider, http)
        adapter.base_url = f"{sandbox.url}/v1.0"
        yield GraphServiceClient(request_adapter=adapter)
    credential.close()


async def _alerts(sandbox: Sandbox) -> list[Alert]:
    options = Alerts_v2RequestBuilder.Alerts_v2RequestBuilderGetQueryParameters(top=PAGE)
    request = RequestConfiguration(query_parameters=options)
    found: list[Alert] = []

    def keep(alert: Alert) -> bool:
        found.append(alert)
        return True

    async with client(sandbox) as graph:
        first = await graph.security.alerts_v2.get(request_configuration=request)
        await PageIterator(first, graph.request_adapter).iterate(keep)
    return found


async def _hunt(sandbox: Sandbox, query: str) -> HuntingQueryResults | None:
    body = hunting.RunHuntingQueryPostRequestBody(query=query)
    async with client(sandbox) as graph:
        return await graph.security.microsoft_graph_security_run_hunting_query.post(body)


def test_the_sdk_pages_through_all_alerts(served: Sandbox, tenant: Tenant) -> None:
    """Signed in with azure-identity, the SDK gets every alert, page by page."""
    alerts = asyncio.run(_alerts(served))

    assert len(tenant.alerts) > PAGE
    assert sorted(a.id or "" for a in alerts) == sorted(a["id"] for a in tenant.alerts)


def test_the_sdk_reads_evidence_as_its_own_types(served: Sandbox, tenant: Tenant) -> None:
    """Evidence comes as the SDK's classes, a process with its id and creation time."""
    sent: list[dict[str, Any]] = [item for a in tenant.alerts for item in a["evidence"] or []]
    alerts = asyncio.run(_alerts(served))
    found: list[AlertEvidence] = [item for alert in alerts for item in alert.evidence or []]
    processes = [item for item in found if isinstance(item, ProcessEvidence)]

    assert len(found) == len(sent)
    assert {type(item).__name__ for item in found} >= {"ProcessEvidence", "DeviceEvidence"}
    assert sorted(p.process_id for p in processes if p.process_id) == sorted(
        item["processId"]
        for item in sent
        if item["@odata.type"].endswith("processEvidence") and item["processId"]
    )
    assert any(p.process_creation_date_time for p in processes)


def test_the_sdk_runs_a_hunting_query(served: Sandbox) -> None:
    """A hunting query answers with its schema and rows."""
    query = "DeviceProcessEvents | take 3 | project Timestamp, DeviceId, ProcessId"
    answer = asyncio.run(_hunt(served, query))

    assert answer is not None
    assert [column.name for column in answer.schema or []] == ["Timestamp", "DeviceId", "ProcessId"]
    assert len(answer.results or []) == 3
