"""Reading single JSON values as what they should be, or as nothing: records are hostile."""

import hashlib
import json
from typing import Any

_INT64 = 2**63
_TRUTH = {"0": False, "1": True, "false": False, "true": True}
Record = dict[str, Any]


def text(value: object) -> str | None:
    """Return a value as text: structures as JSON, lone surrogates replaced, empty as None."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return _encodable(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return _encodable(json.dumps(value, ensure_ascii=False, sort_keys=True))


def integer(value: object) -> int | None:
    """Return a whole number, given as a number or as digits; None where it is none or too large."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        digits = value.strip()
        if not digits.isascii() or not digits.removeprefix("-").isdigit() or len(digits) > 20:  # noqa: PLR2004
            return None
        value = int(digits)
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return value
    return None


def boolean(value: object) -> bool | None:
    """Return a truth value, given as true/false, 0/1 or their text; SByte is hunting's boolean."""
    if isinstance(value, bool):
        return value
    return _TRUTH.get(str(value).strip().lower())


def texts(value: object) -> list[str]:
    """Return a list of texts; a single value is a list of one."""
    items = value if isinstance(value, list) else [value]
    return [found for found in map(text, items) if found is not None]


def part(value: object) -> Record:
    """Return an object, or an empty one where there is none."""
    return value if isinstance(value, dict) else {}


def joined(directory: object, name: object) -> str | None:
    """Return a full path as hunting has it: evidence gives the directory without the file."""
    folder, file = text(directory), text(name)
    if folder is None or file is None:
        return folder or file
    separator = "/" if folder.startswith("/") else "\\"
    if folder.lower().endswith(separator + file.lower()):
        return folder
    return folder + file if folder.endswith(("/", "\\")) else folder + separator + file


def canonical(value: object) -> str:
    """Return JSON that is equal for equal values: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def digest(value: object) -> str:
    """Return the first 32 hexadecimal digits of the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:32]


def _encodable(value: str) -> str:
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
