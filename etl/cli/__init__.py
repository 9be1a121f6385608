"""The command line: `defender-etl`, also `python -m etl`.

Exit status 0 only when everything asked for was done; 2 for wrong usage or configuration; 1
otherwise. Errors are one clear line on standard error. One command a module.
"""

import os
import sys

import click

from etl.cli.demo import demo
from etl.cli.doctor import doctor
from etl.cli.plan import plan
from etl.cli.run import run
from etl.cli.sandbox import sandbox
from etl.cli.sql import sql
from etl.errors import EtlError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="defender-etl")
def commands() -> None:
    """Tie every Microsoft Defender alert to the raw endpoint telemetry behind it."""


for command in (demo, plan, run, sql, sandbox, doctor):
    commands.add_command(command)


def main() -> None:
    """Run the command line and exit."""
    try:
        status = commands.main(prog_name="defender-etl", standalone_mode=False)
    except click.ClickException as error:
        status = 2
        sys.stderr.write(f"defender-etl: {error.format_message()}\n")
    except (click.Abort, KeyboardInterrupt):
        status = 130
        sys.stderr.write("defender-etl: interrupted; nothing half-written was left\n")
    except EtlError as error:
        status = error.exit_status
        sys.stderr.write(f"defender-etl: {error}\n")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status or 0)
