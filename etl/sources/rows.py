"""Rows of a hunting answer, each as the JSON text that the service sent, without parsing them all.

An answer holds up to 100,000 rows; as objects they would take ten times the memory of their text.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

import requests

from etl.access.failures import Again
from etl.errors import ServiceFailed

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[ \t\r\n]*")


def read(response: requests.Response, what: str) -> list[str]:
    """Return the texts of the rows in the body's `results`, whatever the case of that name.

    Raises Again for a body that stops in the middle, and ServiceFailed for one without rows.
    """
    try:
        body = response.content
        rows = split(body.decode(json.detect_encoding(body), "replace"))
    except (ValueError, RecursionError) as error:
        raise Again("the answer is not whole JSON") from error
    if rows is None:
        raise ServiceFailed(what, "the answer has no list of rows")
    return rows


def split(text: str) -> list[str] | None:
    """Return the texts of the objects in `results` of a JSON object; None where there is no list.

    Raises ValueError for text that is no JSON.
    """
    if text[_skip(text, 0) : _skip(text, 0) + 1] != "{":
        json.loads(text)  # tells a list or a number from what is no JSON at all
        return None
    rows: list[str] | None = None
    at = _skip(text, _skip(text, 0) + 1)
    while text[at : at + 1] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _after(text, at, ":")
        if isinstance(name, str) and name.lower() == "results" and text[at : at + 1] == "[":
            spans = list(_items(text, at))
            rows = [text[start:end] for start, end in spans[:-1]]
            at = spans[-1][1]
            if not all(row.startswith("{") for row in rows):
                return None
        else:
            _, at = _DECODER.raw_decode(text, at)
        at = _separated(text, at, "}")
    if _skip(text, at + 1) != len(text):
        raise ValueError("text after the object")
    return rows


def _items(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield where each item of a list starts and ends, and at last where the list itself does."""
    begin, at = at, _skip(text, at + 1)
    while text[at : at + 1] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield at, end
        at = _separated(text, end, "]")
    yield begin, at + 1


def _separated(text: str, at: int, closing: str) -> int:
    """Return where the next item starts after a comma, or where the closing bracket is."""
    at = _skip(text, at)
    if text[at : at + 1] == closing:
        return at
    at = _after(text, at, ",")
    if text[at : at + 1] == closing:
        raise ValueError("a comma before a closing bracket")
    return at


def _after(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise ValueError(f"no {mark!r} where one is due")
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
