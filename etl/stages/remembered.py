"""Remembered queries: what was answered in this pull is not asked again, whatever killed it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from etl.errors import ResultTooLarge, TooHeavy
from etl.lake.spool import Spool
from etl.sources.hunting import Result, Runs
from etl.sources.kql import Literal
from etl.sources.outcomes import hash_of


@dataclass(frozen=True, slots=True)
class Remembered:
    """Runs queries, and keeps every whole answer in the spool until the run has ended.

    A refusal for the size of a result is kept as well: it is why a slice was halved. An answer that
    the service itself doubts is not.
    """

    hunting: Runs
    spool: Spool

    def run(self, query: Literal, what: str) -> Result:
        """Return the answer to `query`, as it was given before if it was.

        Raises an AccessError, and LakeError where the answer cannot be kept.
        """
        key = hash_of(query.kql)
        kept = self.spool.get(key)
        if kept is not None:
            return _answer(*kept, what)
        try:
            result = self.hunting.run(query, what)
        except TooHeavy:
            raise  # it may be the service that is ill
        except ResultTooLarge as error:
            self.spool.put(key, [], {"refused": [error.status, error.code, error.message]})
            raise
        if not result.doubts:
            self.spool.put(key, result.texts, _about(result))
        return result


def _about(result: Result) -> dict[str, Any]:
    return {
        "request_id": result.request_id,
        "size": result.size,
        "calls": result.calls,
        "throttled": result.throttled,
        "started": result.started.isoformat(),
        "ended": result.ended.isoformat(),
    }


def _answer(texts: list[str], about: dict[str, Any], what: str) -> Result:
    if "refused" in about:
        raise ResultTooLarge(what, *about["refused"])
    return Result(
        texts,
        about["request_id"],
        about["size"],
        about["calls"],
        about["throttled"],
        datetime.fromisoformat(about["started"]),
        datetime.fromisoformat(about["ended"]),
    )
