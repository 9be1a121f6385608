"""Reading a failure off a response: what it is, and whether and when to ask again.

Shapes and codes: learn.microsoft.com/graph/errors and the advanced hunting error page. Nothing is
sent from here.
"""

import json
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from etl.access import waits
from etl.errors import (
    Forbidden,
    RequestRefused,
    ResultTooLarge,
    ServiceFailed,
    SignInRefused,
    TableUnknown,
    TooHeavy,
    UntrustedHost,
    printable,
)

_LONGEST_WARNING: Final = 300
TOKEN_REJECTED: Final = "HTTP 401"  # noqa: S105
FORBIDDEN: Final = "HTTP 403"

TIMED_OUT: Final = "HTTP 504"
WORDLESS: Final = "HTTP 500 without a message"
HEAVY: Final = {TIMED_OUT: 2, WORDLESS: 3}
"""How often in a row each of the ways in which hunting gives up on a query that takes too long."""

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
        asked = waits.in_header(response)
        if asked is None:
            asked = waits.in_text(_error(response)[1])
        raise Again("HTTP 429", seconds=asked, throttled=True)
    if status >= 500 or status == requests.codes.request_timeout:  # noqa: PLR2004
        wordless = status == requests.codes.server_error and not _error(response)[1].strip()
        problem = WORDLESS if wordless else f"HTTP {status}"
        raise Again(problem, seconds=waits.in_header(response))
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


def too_heavy(what: str, problem: str) -> TooHeavy:
    """Return the error for a query that the service gave up on, and will again."""
    return TooHeavy(
        what, 504 if problem == TIMED_OUT else 500, "without a code", "no answer in time"
    )


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
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "without a code", response.text[:300]
    return code, f"{message} (request {target})" if isinstance(target, str) else message
