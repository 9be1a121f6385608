"""Exotica: every type of evidence that Graph documents, and handfuls of the rarer ones.

The items are built in the modules named `*_evidence`; those of ordinary alerts in `evidence`.
"""

from random import Random

from etl.sandbox import (
    cloud_evidence,
    cluster_evidence,
    evidence,
    mail_evidence,
    network_evidence,
)
from etl.sandbox.evidence import Item
from etl.sandbox.maker import Maker
from etl.sandbox.plays import Clue

_RARE = (
    *cloud_evidence.BUILDERS,
    *cluster_evidence.BUILDERS,
    *mail_evidence.BUILDERS,
    *network_evidence.BUILDERS,
)
_FEWEST, _MOST = 2, 6


def every_type(created: str) -> list[Item]:
    """Return one item of each of the 48 documented types, always the same for the same time."""
    make = Maker(Random("every type"), created)
    registry = (
        evidence.clue(Clue("registry_key", {"key": "SAM"}), make.device, created),
        evidence.clue(Clue("registry_value", {"name": "a", "value": "b"}), make.device, created),
    )
    usual = [make.process(), make.machine(), make.file(), make.user(), make.ip(), make.url()]
    return [*usual, *registry, *(build(make) for build in _RARE)]


def handful(random: Random, created: str) -> list[Item]:
    """Return a few items of rare types."""
    make = Maker(random, created)
    builders = random.sample(_RARE, random.randint(_FEWEST, _MOST))
    return [build(make) for build in builders]
