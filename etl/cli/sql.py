"""`defender-etl sql`: a query over the catalog, read-only, as a table, CSV or JSON."""

import os

import click

from etl.reports.query import FORMATS, answer
from etl.settings import lake_folder


@click.command()
@click.argument("query")
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="table", show_default=True
)
def sql(query: str, form: str) -> None:
    """Run QUERY over the lake's tables, for example "select * from AlertCorrelation"."""
    answer(lake_folder(os.environ), query, form)
