"""The code location: it loads, it shows the whole lineage, and it runs on time."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph

from assets.automation import RANGE_END, RANGE_START, recent_days
from assets.definitions import build, defs
from etl.lake.catalog import CONTRACTS

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def graph() -> BaseAssetGraph:
    """Return the graph of assets."""
    return defs.resolve_asset_graph()


def test_the_definitions_load_without_settings() -> None:
    """Nothing is read from the environment before a run starts."""
    dg.Definitions.validate_loadable(build())


def test_every_table_is_an_asset_under_its_layer(graph: BaseAssetGraph) -> None:
    """Each contract is an asset of the same key, grouped by its layer, with its columns."""
    for contract in CONTRACTS:
        node = graph.get(dg.AssetKey(contract.key))
        schema = node.metadata["dagster/column_schema"]

        assert node.group_name == contract.layer
        assert [column.name for column in schema.columns] == list(contract.types)
        assert node.description
        assert node.owners == ["team:secops"]
        assert node.kinds


def test_the_lineage_leads_from_raw_to_mart(graph: BaseAssetGraph) -> None:
    """From the correlated alerts, every layer is upstream, raw alerts first."""
    seen, todo = set(), [dg.AssetKey(["mart", "CorrelatedAlerts"])]
    while todo:
        key = todo.pop()
        seen.add(key)
        todo.extend(graph.get(key).parent_keys - seen)

    assert {key.path[0] for key in seen} == {"raw", "core", "hunting", "mart", "ops"}
    assert dg.AssetKey(["raw", "Alerts"]) in seen
    assert graph.root_materializable_asset_keys == {dg.AssetKey(["raw", "Alerts"])}


def test_the_schedule_asks_for_the_last_days_in_one_run() -> None:
    """Each hour one run is asked for, over the last three days, today included."""
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 11, 23, 10, 5, tzinfo=UTC)
    )
    request = recent_days(context)

    assert isinstance(request, dg.RunRequest)
    assert request.tags[RANGE_START] == "2026-11-21"
    assert request.tags[RANGE_END] == "2026-11-23"


def test_the_workspace_names_the_definitions() -> None:
    """Dagster's own commands find the code location from the checkout."""
    (entry,) = yaml.safe_load((CHECKOUT / "workspace.yaml").read_text())["load_from"]

    assert (CHECKOUT / entry["python_file"]["relative_path"]).exists()
