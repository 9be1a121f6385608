"""Maker: what the rarer items of evidence are made of, drawn from one source of random numbers.

Items themselves are built beside it, one module for each field: `cloud_evidence`,
`cluster_evidence`, `mail_evidence` and `network_evidence`. Their machines and people are not those
of any tenant's fleet, so that no telemetry can be about them.
"""

import uuid
from dataclasses import dataclass, field
from random import Random

from etl.sandbox import evidence, fleet, literals, moments
from etl.sandbox.cases import Suspect
from etl.sandbox.evidence import Item, Sighting
from etl.sandbox.fleet import Device
from etl.sandbox.plays import Clue
from etl.sandbox.software import IMAGES

_STRANGERS = fleet.build(Random("strangers"), scale=0)
_DIGITS = "0123456789abcdef"


@dataclass(slots=True)
class Maker:
    """Makes items that were created at one time, given as text."""

    random: Random
    created: str
    device: Device = field(init=False)

    def __post_init__(self) -> None:
        """Choose the machine that the items are about."""
        self.device = self.random.choice([one for one in _STRANGERS if one.user.upn])

    def item(self, kind: str, **properties: object) -> Item:
        """Return an item of a type."""
        return evidence.item(kind, self.created, **properties)

    def guid(self) -> str:
        """Draw a GUID."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def hexadecimal(self, digits: int) -> str:
        """Draw a number in hexadecimal."""
        return "".join(self.random.choices(_DIGITS, k=digits))

    def time(self, before: int = moments.HOUR) -> str:
        """Draw an instant before the items were created."""
        now = literals.instant(self.created) + moments.UNIX_EPOCH
        return moments.text(now - self.random.randrange(before))

    def address(self) -> str:
        """Draw an address in the part of the network that is for documentation."""
        return f"198.51.100.{self.random.randrange(1, 255)}"

    def ip(self, address: str | None = None) -> Item:
        """Return an item about an address, with where it is."""
        place = {"city": "Reykjavík", "countryName": "Iceland", "state": None,
                 "latitude": 64.1466, "longitude": -21.9426}  # fmt: skip
        return self.item("ipEvidence", ipAddress=address or self.address(), countryLetterCode="IS",
                         location=place, stream={"name": "logs-1"})  # fmt: skip

    def url(self) -> Item:
        """Return an item about an address of the web."""
        return self.item(
            "urlEvidence", url=f"https://cdn-{self.hexadecimal(6)}.example.net/a?b=%20c"
        )

    def file(self) -> Item:
        """Return an item about a file."""
        image = self.random.choice(IMAGES[self.device.platform])
        return evidence.clue(Clue("file", {"path": image.path}), self.device, self.created)

    def process(self) -> Item:
        """Return an item about a process and its parent."""
        return evidence.process(self._sighting(self._sighting()), Suspect(None, ""), self.created)

    def machine(self) -> Item:
        """Return an item about a machine in a cloud."""
        machine = {"vmId": self.guid(), "cloudProvider": "azure", "subscriptionId": self.guid(),
                   "resourceId": self.resource("compute/virtualMachines", "vm-7")}  # fmt: skip
        return evidence.device(self.device, self.created) | {"vmMetadata": machine}

    def user(self) -> Item:
        """Return an item about an account."""
        return evidence.user(self.device.user, self.created)

    def resource(self, kind: str, name: str) -> str:
        """Return the id of a resource in Azure."""
        group = f"/subscriptions/{self.guid()}/resourceGroups/rg-orders"
        return f"{group}/providers/Microsoft.{kind}/{name}"

    def _sighting(self, parent: Sighting | None = None) -> Sighting:
        image = self.random.choice(IMAGES[self.device.platform])
        began = literals.instant(self.time()) + moments.UNIX_EPOCH
        return Sighting(
            self.device, 4 * self.random.randrange(1_000, 16_000),
            began if parent is None else max(began, parent.created + moments.SECOND), image.name,
            image.folder, image.digest("sha1"), image.digest("sha256"), image.command,
            as_user=True, parent=parent,
        )  # fmt: skip
