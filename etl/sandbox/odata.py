"""OData: the `$filter` and `$orderby` of alerts, for the documented properties and no others."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from etl.sandbox import literals, moments
from etl.sandbox.alerts import Alert
from etl.sandbox.gate import GraphError

Test = Callable[[Alert], bool]
Comparison = Callable[[str, str, str], Test]
"""Makes a test of a property's name, an operator and a literal."""

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
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_INSTANTS_KEPT = 2**18
"""Texts whose instants are remembered: both of more than a hundred thousand alerts."""
_TOKEN = re.compile(r"\s*(?:(\(|\))|('(?:[^']|'')*')|([^\s()']+))")


def refused(message: str) -> GraphError:
    """Return a 400."""
    return GraphError(400, "BadRequest", message)


@lru_cache(_INSTANTS_KEPT)
def _instant(text: str) -> int | None:
    try:
        return literals.instant(text)
    except ValueError:
        return None


def ticks(alert: Alert, name: str) -> int | None:
    """Return an instant of an alert in ticks; None where a test left none there."""
    return _instant(str(alert.get(name)))


def rank(name: str) -> Callable[[Alert], int]:
    """Return what orders alerts by an instant; those without one come before all others."""

    def key(alert: Alert) -> int:
        found = ticks(alert, name)
        return -moments.UNIX_EPOCH - 1 if found is None else found

    return key


def compile_filter(text: str, comparison: Comparison | None = None) -> Test:
    """Turn a filter into a test of one alert, or of whatever `comparison` tests.

    Raises GraphError 400 where the service would.
    """
    parser = _Parser(_tokens(text), comparison or _comparison)
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
    comparison: Comparison
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
        test = self._single()
        while self._accept("and"):
            test = _chain(test, self._single())
        return test

    def _single(self) -> Test:
        if self._accept("not"):
            test = self._single()
            return lambda alert: not test(alert)
        if self._accept("("):
            test = self.either()
            if not self._accept(")"):
                raise refused("Syntax error: a parenthesis is not closed.")
            return test
        return self.comparison(self._next(), self._next(), self._next())


def _comparison(name: str, word: str, literal: str) -> Test:
    if name not in _FIELDS:
        raise refused(f"Could not find a filterable property named '{name}'.")
    if word not in ORDERS:
        raise refused(f"Unknown operator '{word}'.")
    if name in DATES:
        return _dated(name, word, literal)
    if word not in ("eq", "ne"):
        raise refused(f"Operator '{word}' cannot be used with '{name}'.")
    wanted = _worded(name, literal)
    return lambda alert: (alert.get(name) == wanted) == (word == "eq")


def _chain(first: Test, second: Test) -> Test:
    return lambda alert: first(alert) and second(alert)


def instant_of(value: object) -> int | None:
    """Return the ticks of an instant that is written as text; None where there is none."""
    return _instant(str(value))


def _dated(name: str, word: str, literal: str) -> Test:
    try:
        wanted = literals.instant(literal)
    except ValueError:
        raise refused(f"'{name}' needs an unquoted datetime, not {literal}.") from None
    holds, unlike = ORDERS[word], word == "ne"

    def test(alert: Alert) -> bool:
        found = _instant(str(alert.get(name)))
        return unlike if found is None else holds(found, wanted)

    return test


def _worded(name: str, literal: str) -> str | None:
    if literal == "null":
        return None
    if not literal.startswith("'"):
        raise refused(f"'{name}' needs a quoted literal, not {literal}.")
    word = literal[1:-1].replace("''", "'")
    if name in _ENUMS and word not in _ENUMS[name]:
        raise refused(f"'{word}' is no member of the type of '{name}'.")
    return word
