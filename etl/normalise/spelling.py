"""Spelling: words and lists of Defender for Endpoint's own API as Graph writes them.

The API's words are open: one that is not known loses nothing but the case of its first letter.
"""

from typing import Final

from etl.values import text

_WORDS: Final = {
    "unspecified": "unknown",
    "informationalexpectedactivity": "informationalExpectedActivity",
    "compromiseduser": "compromisedAccount",
    "confirmeduseractivity": "confirmedActivity",
    "clean": "notMalicious",
    "insufficientdata": "notEnoughDataToValidate",
}
"""Members whose name differs in more than its first letter, by their letters in lower case."""


def member(value: object) -> str | None:
    """Return an enumeration's member as Graph spells it; some are sent as a phrase."""
    word = text(value)
    letters = "".join(filter(str.isalpha, word or "")).lower()
    return _WORDS.get(letters) or camel(word)


def camel(word: str | None) -> str | None:
    """Return a word with a small first letter."""
    return word[:1].lower() + word[1:] if word else word


def listed_in(value: object) -> list[object]:
    """Return a list; one value for a list is a list of one, and none an empty one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
