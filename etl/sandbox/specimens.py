"""Specimens: whole alert records of a made-up fleet with no telemetry behind them.

For tests of the queue itself, where many alerts are needed and the processes they name need not
exist. Alerts whose telemetry is known come from `casework`.
"""

from dataclasses import dataclass, field
from random import Random

from etl.sandbox import alerts, evidence, fleet, moments
from etl.sandbox.alerts import Alert, Incident
from etl.sandbox.cases import Suspect
from etl.sandbox.evidence import Item, Sighting
from etl.sandbox.fleet import Device
from etl.sandbox.plays import Clue
from etl.sandbox.software import IMAGES
from etl.sandbox.stories import STORIES
from etl.sandbox.tenant import TENANT_ID

PORTAL = "https://security.microsoft.com"
_PART = 300
"""SQL Server's datetime counts in so many parts of a second."""


def rounded(ticks: int) -> int:
    """Return the next instant at or after `ticks` that SQL Server's datetime can hold."""
    parts = -(-ticks * _PART // moments.SECOND)
    return (parts * moments.SECOND + _PART // 2) // _PART


@dataclass(slots=True)
class Specimens:
    """Makes alerts and items of evidence; the same seed makes the same ones."""

    random: Random
    devices: list[Device] = field(init=False)

    def __post_init__(self) -> None:
        """Set up the fleet."""
        self.devices = fleet.build(self.random, scale=0.3)

    def device(self) -> Device:
        """Draw a device."""
        return self.random.choice(self.devices)

    def alert(self, created: int, items: list[Item]) -> Alert:
        """Return a new alert, created at a tick and not updated since."""
        last = created - self.random.randrange(moments.MINUTE, moments.HOUR)
        first = last - self.random.randrange(moments.HOUR)
        story = self.random.choice(STORIES)
        body = alerts.body(
            self.random, TENANT_ID, story=story, incident=Incident(first, last), evidence=items
        )
        identity = f"da{created}_{self.random.randrange(-(2**31), 2**31)}"
        return body | {
            "id": identity,
            "providerAlertId": identity,
            "alertWebUrl": f"{PORTAL}/alerts/{identity}?tid={TENANT_ID}",
            "createdDateTime": moments.text(created),
            "lastUpdateDateTime": moments.text(rounded(created)),
            "status": "new",
            "classification": None,
            "determination": None,
            "assignedTo": None,
            "resolvedDateTime": None,
            "comments": [],
        }

    def process(self, device: Device, created: int) -> Item:
        """Return an item about a process that ran a while before the alert was created."""
        parent = self._sighting(device, created - moments.HOUR, None)
        began = created - self.random.randrange(moments.MINUTE, moments.HOUR)
        if device.platform != "windows":
            began -= began % moments.MICROSECOND
        sighting = self._sighting(device, began, parent)
        return evidence.process(
            sighting, Suspect(None, device.platform), moments.text(rounded(created))
        )

    def machine(self, device: Device, created: int) -> Item:
        """Return the item about a device."""
        return evidence.device(device, moments.text(rounded(created)))

    def account(self, device: Device, created: int) -> Item:
        """Return the item about the user of a device."""
        return evidence.user(device.user, moments.text(rounded(created)))

    def file(self, device: Device, created: int) -> Item:
        """Return an item about a file on a device."""
        image = self.random.choice(IMAGES[device.platform])
        clue = Clue("file", {"path": image.path})
        return evidence.clue(clue, device, moments.text(rounded(created)))

    def _sighting(self, device: Device, created: int, parent: Sighting | None) -> Sighting:
        image = self.random.choice(IMAGES[device.platform])
        return Sighting(
            device, 4 * self.random.randrange(1_000, 16_000), created, image.name, image.folder,
            image.digest("sha1"), image.digest("sha256"), image.command, as_user=True,
            parent=parent,
        )  # fmt: skip
