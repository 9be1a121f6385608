"""Scopes: what the text of a `scope` field asks for.

Whether it is granted is decided in `entra`.
"""

from dataclasses import dataclass
from typing import Final, Self

from etl.sandbox.refusal import Refusal

DEFAULT: Final = ".default"
"""Asks for everything that was consented to."""

_IDENTITY: Final = frozenset({"openid", "profile", "email", "offline_access"})


@dataclass(frozen=True, slots=True)
class Scopes:
    """Permissions of one API, and scopes about the person."""

    audience: str
    permissions: tuple[str, ...]
    identity: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a scope field; several APIs in it, or none, are refused."""
        words = text.split()
        asked = [word.rpartition("/") for word in words if word not in _IDENTITY]
        audiences = {audience for audience, _, _ in asked}
        if not asked or not all(audience and name for audience, _, name in asked):
            shown = f"The provided value for the input parameter 'scope' is not valid: {text!r}."
            raise Refusal(70011, "invalid_scope", shown)
        if len(audiences) > 1:
            shown = f"The scope {text!r} has permissions of more than one resource."
            raise Refusal(700022, "invalid_scope", shown)
        names = tuple(name for _, _, name in asked)
        return cls(audiences.pop(), names, _IDENTITY.intersection(words))

    @classmethod
    def parse_default(cls, text: str) -> Self:
        """Read a scope field that must be `RESOURCE/.default` and no more."""
        scopes = cls.parse(text)
        if scopes.permissions != (DEFAULT,) or scopes.identity:
            shown = f"The provided value for the input parameter 'scope' is not valid: {text!r}."
            raise Refusal(70011, "invalid_scope", shown)
        return scopes
