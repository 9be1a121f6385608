"""Refusal: a sign-in that is turned down, in the words and the body of Entra ID."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.responses import JSONResponse, Response


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """A sign-in that Entra ID refuses."""

    code: int
    error: str
    text: str
    status: int = 400

    def response(self) -> Response:
        """Return the documented body."""
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        description = (
            f"AADSTS{self.code}: {self.text}\r\nTrace ID: {trace}\r\n"
            f"Correlation ID: {correlation}\r\nTimestamp: {now}"
        )
        body = {
            "error": self.error,
            "error_description": description,
            "error_codes": [self.code],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }
        return JSONResponse(body, self.status)
