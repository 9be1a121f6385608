"""Every error that defender-etl raises on purpose; each says whether trying again can help.

    EtlError
    ├── ConfigError          a setting or an argument is wrong (exit status 2)
    ├── LakeError            the lake cannot be read or written
    └── AccessError          talking to Microsoft failed
        ├── Unreachable      no answer from the host                         (try again)
        ├── SignInRefused    Entra ID refused the application
        ├── Forbidden        signed in, but a permission is missing
        ├── Throttled        over quota for longer than the client waits     (try again)
        ├── ServiceFailed    5xx or an unreadable answer, several times      (try again)
        ├── RequestRefused   4xx: the request itself is at fault
        │   ├── TableUnknown     a hunting table that this tenant does not have
        │   └── ResultTooLarge   the answer passes the service's limits; ask for less
        │       └── TooHeavy         the service gives up on the query without a word
        └── UntrustedHost    a link leads away from the configured host

Messages name the thing, the value and the remedy, and never a secret. Library errors are translated
where they arise and chained; nothing above `etl.access` sees one of `requests` or `msal`.
"""


def printable(text: str) -> str:
    """Return text for a terminal or a log: control characters, which could steer it, are shown."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class EtlError(Exception):
    """The root; catching it catches every failure that was foreseen."""

    can_retry = False
    exit_status = 1


class ConfigError(EtlError):
    """A setting or an argument that cannot be used."""

    exit_status = 2

    def __init__(self, name: str, problem: str, remedy: str) -> None:
        self.name = name
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{name}: {problem}; {remedy}")


class LakeError(EtlError):
    """The lake at `path` cannot be read or written."""

    def __init__(self, path: object, problem: str, remedy: str) -> None:
        self.path = path
        super().__init__(f"lake {path}: {problem}; {remedy}")


class AccessError(EtlError):
    """Talking to Microsoft failed."""


class Unreachable(AccessError):
    """No answer from `host`: name, network, proxy or certificate."""

    can_retry = True

    def __init__(self, host: str, problem: str, remedy: str) -> None:
        self.host = host
        super().__init__(f"{host} cannot be reached: {problem}; {remedy}")


class SignInRefused(AccessError):
    """Entra ID refused the application; `code` is the AADSTS number, or 0."""

    def __init__(self, code: int, problem: str, remedy: str) -> None:
        self.code = code
        name = f"AADSTS{code}" if code else "no AADSTS code"
        super().__init__(f"sign-in refused ({name}): {problem}; {remedy}")


class Forbidden(AccessError):
    """Signed in, but without the right to `what`."""

    def __init__(self, what: str, permission: str) -> None:
        self.permission = permission
        super().__init__(
            f"not allowed to {what}: the token lacks {permission}; grant this application "
            "permission to the app registration and give admin consent"
        )


class Throttled(AccessError):
    """Over quota; the service asks to wait `retry_after` seconds."""

    can_retry = True

    def __init__(self, what: str, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(
            f"{what}: over the tenant's quota for another {retry_after:.0f} s; try again then, "
            "or lower DEFENDER_HUNTING_CALLS_PER_MINUTE"
        )


class ServiceFailed(AccessError):
    """The service failed several times in a row."""

    can_retry = True

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(f"{what}: {problem}; the service failed repeatedly, try again later")


class RequestRefused(AccessError):
    """The service refuses this request; asking again changes nothing."""

    remedy = "the request was refused as it is"

    def __init__(self, what: str, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
        text = printable(" ".join(message.split())[:300])
        super().__init__(f"{what}: HTTP {status} {code}: {text}; {self.remedy}")


class TableUnknown(RequestRefused):
    """A hunting table does not resolve: absent from the tenant, or no permission for it."""

    remedy = "the tenant has no such table, or the application lacks ThreatHunting.Read.All"


class ResultTooLarge(RequestRefused):
    """The result passes a limit of the service in rows, bytes or time."""

    remedy = "less has to be asked for at once"


class TooHeavy(ResultTooLarge):
    """The service times out on this very query each time; a lighter one may pass."""


class UntrustedHost(AccessError):
    """A link of the service leads to another host than the configured one."""

    def __init__(self, host: str, expected: str) -> None:
        self.host = host
        super().__init__(
            f"refusing to follow a link to {host!r}: the token is only for {expected}; "
            "check DEFENDER_GRAPH_URL and any proxy in between"
        )
