"""Reading a failure off a response: what it is, and whether and when to ask again.

Shapes and codes: learn.microsoft.com/graph/errors and the advanced hunting error page. Nothing is
sent from here.
"""

import json
import re
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from etl.errors import (
    Forbidden,
    RequestRefused,
    ResultTooLarge,
    ServiceFailed,
    SignInRefused,
    TableUnknown,
    UntrustedHost,
    printable,
)

_LONGEST_WARNING: Final = 300
TOKEN_REJECTED: Final = "HTTP 401"  # noqa: S105
FORBIDDEN: Final = "HTTP 403"
RENEWABLE: Final = (TOKEN_REJECTED, FORBIDDEN)
"""Problems that another token may cure."""

_WAIT = re.compile(
    r"again in (?:(?P<h>[0-9]+) ?h[a-z]*)?[ ,]*(?:(?P<m>[0-9]+) ?m[a-z]*)?[ ,]*"
    r"(?:(?P<s>[0-9]+) ?s[a-z]*)?",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"again in (?P<h>[0-9]+):(?P<m>[0-9]+):(?P<s>[0-9]+)", re.IGNORECASE)
_TOO_LARGE: Final = (
    "exceeded the allowed result size",
    "exceeded the allowed limits",
    "exceeded the timeout period",
    "exceeds the allowed size limit",
)


class Again(Exception):
    """This attempt failed in a way that another may not; `seconds` is how long to wait first."""

    def __init__(
        self, problem: str, *, seconds: float | None = None, throttled: bool = False
    ) -> None:
        self.problem = problem
        self.seconds = seconds
        self.throttled = throttled
        super().__init__(problem)


def check(response: requests.Response, what: str, permission: str, host: str) -> None:
    """Raise what a response that is no success means; return where it is one."""
    status = response.status_code
    if status < 300:  # noqa: PLR2004
        return
    if status < 400:  # noqa: PLR2004
        target = response.headers.get("Location", "")
        raise UntrustedHost(urlsplit(target).netloc or target, host)
    if status == requests.codes.unauthorized:
        raise Again(TOKEN_REJECTED, seconds=0)
    if status == requests.codes.too_many_requests:
        raise Again("HTTP 429", seconds=_wait(response), throttled=True)
    if status >= 500 or status == requests.codes.request_timeout:  # noqa: PLR2004
        raise Again(f"HTTP {status}", seconds=_header_wait(response))
    if status == requests.codes.forbidden:
        raise Forbidden(what, permission)
    raise _refusal(response, what)


def whole_json(response: requests.Response, what: str) -> dict[str, Any]:
    """Parse the body; an answer that stops in the middle is worth another attempt."""
    try:
        parsed = json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise Again("the answer is not whole JSON") from error
    if not isinstance(parsed, dict):
        raise ServiceFailed(what, "the answer is no JSON object")
    return parsed


def doubts(response: requests.Response) -> tuple[str, ...]:
    """Return what a successful answer says it lacks: a provider behind Graph that did not answer.

    https://learn.microsoft.com/graph/api/resources/security-error-codes
    """
    warning = printable(" ".join(response.headers.get("Warning", "").split())[:_LONGEST_WARNING])
    partial = response.status_code == requests.codes.partial_content
    if not warning and not partial:
        return ()
    status = f"HTTP {response.status_code}"
    return (f"{status} with warning {warning}" if warning else f"{status}, a part of the answer",)


def request_id(response: requests.Response) -> str:
    """Return the id under which Microsoft's support finds the request."""
    return response.headers.get("request-id") or response.headers.get("client-request-id") or ""


def rejected_token() -> SignInRefused:
    """Return the error for a token that is refused though it is new."""
    problem = "the API rejects a fresh token"
    return SignInRefused(0, problem, "check DEFENDER_CLOUD, DEFENDER_GRAPH_URL and the clock")


def _refusal(response: requests.Response, what: str) -> RequestRefused:
    code, message = _error(response)
    kind = RequestRefused
    if "Failed to resolve table" in message:
        kind = TableUnknown
    elif any(text in message for text in _TOO_LARGE):
        kind = ResultTooLarge
    return kind(what, response.status_code, code, message)


def _error(response: requests.Response) -> tuple[str, str]:
    try:
        error = response.json()["error"]
        code, message = str(error.get("code", "")), str(error.get("message", ""))
        target = error.get("target")  # how Defender for Endpoint names the request
    except (ValueError, KeyError, TypeError, AttributeError):
        return "without a code", response.text[:300]
    return code, f"{message} (request {target})" if isinstance(target, str) else message


def _header_wait(response: requests.Response) -> float | None:
    header = response.headers.get("Retry-After", "").strip()
    return float(header) if header.isascii() and header.isdigit() else None


def _wait(response: requests.Response) -> float | None:
    """Seconds to wait after a 429: the header says, else the text, else nobody."""
    header = _header_wait(response)
    if header is not None:
        return header
    message = _error(response)[1]
    found = _CLOCK.search(message) or _WAIT.search(message)
    if found is None or not any(found.groups()):
        return None
    parts = {name: int(value or 0) for name, value in found.groupdict().items()}
    return float(parts["h"] * 3600 + parts["m"] * 60 + parts["s"])
