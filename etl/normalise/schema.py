"""What Microsoft documents of alerts: types, their fields and enumerations, read from a file.

`schema.json` says of each field what it holds: `text`, `integer`, `number`, `boolean`, `instant`,
`identifier` (text or a number), `open` (an object of anything), an enumeration or another type;
`[…]` is a list of it, and `!` marks what is never null. Types of Graph come as Graph names them
(https://learn.microsoft.com/graph/api/resources/security-alert), those of the Defender for Endpoint
API as `mde…`.
"""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

BASE: Final = "alertEvidence"
"""The type that all evidence types of Graph extend."""


@dataclass(frozen=True, slots=True)
class Field:
    """What one field of a type holds."""

    kind: str
    listed: bool
    required: bool

    @classmethod
    def of(cls, words: str) -> "Field":
        """Read a field as the file writes it."""
        kind = words.removesuffix("!")
        return cls(kind.strip("[]"), kind.startswith("["), words.endswith("!"))

    @property
    def structured(self) -> bool:
        """Whether it holds objects of a type of its own."""
        return self.kind in TYPES


def _read() -> tuple[dict[str, dict[str, Field]], dict[str, frozenset[str]]]:
    file = resources.files(__package__).joinpath("schema.json")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    types = {
        name: {field: Field.of(words) for field, words in fields.items()}
        for name, fields in found["types"].items()
    }
    extended = {
        name: types[BASE] | fields if _is_evidence(name) else fields
        for name, fields in types.items()
    }
    return extended, {name: frozenset(words) for name, words in found["enumerations"].items()}


def _is_evidence(name: str) -> bool:
    return name.endswith("Evidence") and not name.startswith("mde")


TYPES, ENUMERATIONS = _read()
"""Type → field → what it holds, those of its base included; enumeration → its members."""

EVIDENCE_TYPES: Final = frozenset(name for name in TYPES if _is_evidence(name)) - {BASE}
"""The evidence types of Graph that an item can be of."""
