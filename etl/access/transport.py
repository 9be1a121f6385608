"""The connections that sign-ins go over: verified, patient but not for ever, never led astray.

MSAL takes a `requests` session and writes answers that it cannot parse into its log, with any token
in them; so answers are looked at here first. What a readable refusal means is told in `refusals`.
"""

import json
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from etl.errors import AccessError, ServiceFailed, Unreachable

_ASK_AGAIN: Final = Retry(
    total=2,
    read=0,
    status_forcelist=(500, 502, 503, 504),
    allowed_methods=None,
    backoff_factor=0.5,
    raise_on_status=False,
    respect_retry_after_header=False,
)


class Unusable(requests.RequestException):
    """An answer that MSAL shall not see; it takes this for a network that is down."""

    def __init__(self, failure: AccessError) -> None:
        self.failure = failure
        super().__init__(str(failure))


class Transport(requests.Session):
    """Connections to one service that hands out tokens."""

    remedy = "check AZURE_AUTHORITY_HOST, DEFENDER_CLOUD, the network and any proxy"
    timeout: tuple[float, float] = (10, 30)

    def __init__(self, *, verify: str | bool = True) -> None:
        super().__init__()
        self.auth = _unsigned  # keeps netrc entries off
        self._verify = verify
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(max_retries=self.retries()))

    def retries(self) -> Retry:
        """Return how often is asked again."""
        return _ASK_AGAIN

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # noqa: ANN401
        """Send a request, and return an answer that is safe to hand to MSAL.

        Raises requests.RequestException, which `failure` explains.
        """
        options |= {"verify": self._verify, "timeout": self.timeout, "allow_redirects": False}
        response = super().send(request, **options)
        failure = self.judge(response, urlsplit(request.url or "").netloc)
        if failure is not None:
            raise Unusable(failure)
        return response

    def failure(self, error: requests.RequestException, host: str) -> AccessError:
        """Return our own error for one that sending raised."""
        if isinstance(error, Unusable):
            return error.failure
        if error.request is not None:
            host = urlsplit(error.request.url or "").netloc or host
        if isinstance(error, requests.exceptions.SSLError):
            remedy = "set REQUESTS_CA_BUNDLE to the CA's PEM file"
            return Unreachable(host, "its certificate is not trusted", remedy)
        problem = f"no answer to the sign-in ({type(error).__name__})"
        return Unreachable(host, problem, self.remedy)

    def judge(self, response: requests.Response, host: str) -> AccessError | None:
        """Return what is wrong with an answer that MSAL could not read or should not follow."""
        status = response.status_code
        if status >= 500 or status == requests.codes.too_many_requests:  # noqa: PLR2004
            return ServiceFailed(f"sign-in at {host}", f"HTTP {status}")
        if 300 <= status < 400 or not _is_object(response):  # noqa: PLR2004
            return Unreachable(host, f"HTTP {status} is no answer to a sign-in", self.remedy)
        return None


class MetadataTransport(Transport):
    """Connections to the metadata service of the machine: near, or not there at all."""

    remedy = (
        "run on an Azure machine that has a managed identity, or set DEFENDER_AUTH to another way"
    )
    timeout = (3, 20)

    def __init__(self, *, verify: str | bool = True) -> None:
        super().__init__(verify=verify)
        self.trust_env = False  # a proxy would answer for another machine

    def retries(self) -> Retry:
        """Return how often is asked again: where nothing answers at once, nothing will."""
        return Retry(0, read=False)

    def judge(self, response: requests.Response, host: str) -> AccessError | None:
        """Return what is wrong with an answer; some of these services refuse with 500."""
        refuses = response.status_code >= 400  # noqa: PLR2004
        if response.content if refuses else _is_object(response):
            return None
        problem = f"HTTP {response.status_code} is no answer to a sign-in"
        return Unreachable(host, problem, self.remedy)


def _is_object(response: requests.Response) -> bool:
    """Tell whether the body is one whole JSON object."""
    try:
        return isinstance(json.loads(response.content), dict)
    except (ValueError, RecursionError):
        return False


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
