"""The table in which hunting tells of devices: that they were alive, and which ids are one machine.

It holds a heartbeat of a device every quarter of an hour. Asked for are, of some devices, the last
one of each hour that matters, and, whenever it was, the last that names them as merged.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from etl.contracts.hunting import DEVICE_INFO
from etl.sources import kql, pieces
from etl.sources.hunting import Runs
from etl.sources.kql import Literal
from etl.sources.outcomes import Pulled
from etl.sources.scope import Scope
from etl.windows import Window

AT_ONCE: Final = 500
"""Devices named in one query: each takes some 180 characters of the hundred thousand."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """One request: the hours of some devices, within a span in which ids were merged."""

    span: Window
    scope: Scope
    table: str = DEVICE_INFO

    @property
    def part(self) -> str:
        """Which devices it is about, in the ledger's words."""
        devices = self.scope.devices
        return f"{len(devices)} devices from {devices[0]}"

    @property
    def query(self) -> Literal:
        """What to ask."""
        return kql.bind(
            "device_info",
            table=kql.tables([self.table]),
            devices=kql.texts(self.scope.devices),
            start=kql.instant(self.span.start),
            end=kql.instant(self.span.end),
            scope=self.scope.condition(),
        )

    def halves(self) -> "tuple[_Piece, ...]":
        """Return the parts of a piece; none where one device is left."""
        return tuple(_Piece(self.span, half) for half in self.scope.halves() or ())


def pull(hunting: Runs, scope: Scope, span: Window, max_rows: int) -> Iterator[Pulled]:
    """Yield the outcomes of asking about the devices of a scope; `span` has all of it.

    A failure is an outcome, too, and the last one. Raises Throttled.
    """
    devices = scope.devices
    batches = [devices[start : start + AT_ONCE] for start in range(0, len(devices), AT_ONCE)]
    wanted = [_Piece(span, scope.only(batch)) for batch in batches]
    yield from pieces.pull(hunting, wanted, max_rows)
