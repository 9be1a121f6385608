"""`defender-etl sandbox`: serve a made-up Defender tenant on loopback until interrupted."""

import shlex
import signal
import threading
from contextlib import suppress

import click

from etl.errors import ConfigError


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8443,
    show_default=True,
    help="0 picks a free one.",
)
@click.option(
    "--seed", type=int, default=7, show_default=True, help="Another seed, another tenant."
)
@click.option(
    "--scale",
    type=click.FloatRange(0.01, 1000),
    default=1.0,
    show_default=True,
    help="Devices and alerts, as a multiple.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 25),
    default=3,
    show_default=True,
    help="Days with alerts, up to yesterday.",
)
@click.option("--faults", default="", help="Faults to show, such as rows=500,throttle=3.")
def sandbox(port: int, seed: int, scale: float, days: int, faults: str) -> None:
    """Serve the sandbox tenant and print the environment that points a client at it."""
    from etl.sandbox import Faults, Sandbox, Tenant  # noqa: PLC0415 - only this command needs them

    try:
        shown = Faults.parse(faults)
    except ValueError as error:
        raise ConfigError("--faults", str(error), "separate several by commas") from error
    tenant = Tenant.generate(seed=seed, scale=scale, days=days)
    with Sandbox(tenant, port=port, faults=shown) as served:
        for name, value in served.environment.items():
            click.echo(f"export {name}={shlex.quote(value)}")
        click.echo(f"# serving {served.url} with {len(tenant.alerts)} alerts; Ctrl-C ends it")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
