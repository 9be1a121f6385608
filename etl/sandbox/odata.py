"""OData: the `$filter` and `$orderby` of alerts, for the documented properties and no others."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from etl.sandbox import literals
from etl.sandbox.alerts import Alert
from etl.sandbox.gate import GraphError

Test = Callable[[Alert], bool]

DATES = ("createdDateTime", "lastUpdateDateTime")
_ENUMS = {
    "severity": ["unknown", "informational", "low", "medium", "high"],
    "status": ["unknown", "new", "inProgress", "resolved"],
    "classification": ["unknown", "falsePositive", "truePositive", "informationalExpectedActivity"],
    "determination": [
        "unknown",
        "apt",
        "malware",
        "securityPersonnel",
        "securityTesting",
        "unwantedSoftware",
        "other",
        "multiStagedAttack",
        "compromisedAccount",
        "phishing",
        "maliciousUserActivity",
        "notMalicious",
        "notEnoughDataToValidate",
        "confirmedActivity",
        "lineOfBusinessApplication",
        "compromisedUser",
        "clean",
        "insufficientData",
        "confirmedUserActivity",
    ],
    "serviceSource": [
        "unknown",
        "microsoftDefenderForEndpoint",
        "microsoftDefenderForIdentity",
        "microsoftDefenderForCloudApps",
        "microsoftDefenderForOffice365",
        "microsoft365Defender",
        "azureAdIdentityProtection",
        "microsoftAppGovernance",
        "dataLossPrevention",
        "microsoftDefenderForCloud",
        "microsoftSentinel",
        "microsoftInsiderRiskManagement",
        "microsoftThreatIntelligence",
        "microsoftSecurityForAI",
    ],
}
_FIELDS = {*DATES, *_ENUMS, "assignedTo"}
_ORDERS: dict[str, Callable[[int], bool]] = {
    "eq": lambda order: order == 0,
    "ne": lambda order: order != 0,
    "gt": lambda order: order > 0,
    "ge": lambda order: order >= 0,
    "lt": lambda order: order < 0,
    "le": lambda order: order <= 0,
}
_TOKEN = re.compile(r"\s*(?:(\(|\))|('(?:[^']|'')*')|([^\s()']+))")


def refused(message: str) -> GraphError:
    """Return a 400."""
    return GraphError(400, "BadRequest", message)


def ticks(alert: Alert, name: str) -> int:
    """Return an instant of an alert in ticks."""
    return literals.instant(str(alert[name]))


def compile_filter(text: str) -> Test:
    """Turn a filter into a test of one alert.

    Raises GraphError 400 where the service would.
    """
    parser = _Parser(_tokens(text))
    test = parser.either()
    if parser.position < len(parser.tokens):
        raise refused(f"Syntax error in filter at '{parser.tokens[parser.position]}'.")
    return test


def sort_key(text: str) -> tuple[str, bool]:
    """Read an order: the property, and whether the latest comes first."""
    name, _, direction = text.strip().partition(" ")
    if name not in DATES or direction.strip() not in ("", "asc", "desc"):
        raise refused(f"The $orderby expression '{text}' is not supported.")
    return name, direction.strip() == "desc"


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        if found is None:
            raise refused(f"Unterminated literal at position {position} in '{text}'.")
        tokens.append(found.group().strip())
        position = found.end()
    return tokens


@dataclass(slots=True)
class _Parser:
    """Reads tokens by recursive descent: or, and, not, parentheses, comparisons."""

    tokens: list[str]
    position: int = 0

    def _next(self) -> str:
        if self.position == len(self.tokens):
            raise refused("Syntax error: the filter ends unexpectedly.")
        self.position += 1
        return self.tokens[self.position - 1]

    def _accept(self, word: str) -> bool:
        if self.position < len(self.tokens) and self.tokens[self.position] == word:
            self.position += 1
            return True
        return False

    def either(self) -> Test:
        """Read tests joined by `or`."""
        tests = [self._both()]
        while self._accept("or"):
            tests.append(self._both())
        return lambda alert: any(test(alert) for test in tests)

    def _both(self) -> Test:
        tests = [self._single()]
        while self._accept("and"):
            tests.append(self._single())
        return lambda alert: all(test(alert) for test in tests)

    def _single(self) -> Test:
        if self._accept("not"):
            test = self._single()
            return lambda alert: not test(alert)
        if self._accept("("):
            test = self.either()
            if not self._accept(")"):
                raise refused("Syntax error: a parenthesis is not closed.")
            return test
        return self._comparison()

    def _comparison(self) -> Test:
        name, operator, literal = self._next(), self._next(), self._next()
        if name not in _FIELDS:
            raise refused(f"Could not find a filterable property named '{name}'.")
        if operator not in _ORDERS:
            raise refused(f"Unknown operator '{operator}'.")
        if name in DATES:
            return _dated(name, _ORDERS[operator], literal)
        if operator not in ("eq", "ne"):
            raise refused(f"Operator '{operator}' cannot be used with '{name}'.")
        wanted = _worded(name, literal)
        return lambda alert: (alert[name] == wanted) == (operator == "eq")


def _dated(name: str, holds: Callable[[int], bool], literal: str) -> Test:
    try:
        wanted = literals.instant(literal)
    except ValueError:
        raise refused(f"'{name}' needs an unquoted datetime, not {literal}.") from None
    return lambda alert: holds(ticks(alert, name) - wanted)


def _worded(name: str, literal: str) -> str | None:
    if literal == "null":
        return None
    if not literal.startswith("'"):
        raise refused(f"'{name}' needs a quoted literal, not {literal}.")
    word = literal[1:-1].replace("''", "'")
    if name in _ENUMS and word not in _ENUMS[name]:
        raise refused(f"'{word}' is no member of the type of '{name}'.")
    return word
