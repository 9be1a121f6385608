"""Our errors as Dagster understands them: wait and try again, or stop and say why."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from etl.errors import EtlError, Throttled

RETRIES = 5
"""How often a step is run again once a quota has been used up."""


@contextmanager
def as_dagster() -> Iterator[None]:
    """Translate an EtlError raised inside.

    A quota that is used up gives the slot back and asks to be run again later; everything else
    fails the step with its one line, whatever can be retried in place having been retried.
    """
    try:
        yield
    except Throttled as error:
        raise dg.RetryRequested(RETRIES, seconds_to_wait=error.retry_after) from error
    except EtlError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
