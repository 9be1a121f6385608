"""Workers: requests side by side, up to a number; the first failure stops what has not begun.

The quota is no business of theirs: every request takes its own place in it.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

Job = Callable[[], None]


def work(jobs: Iterable[Job], parallel: int) -> None:
    """Do every job, at most `parallel` at once, begun in their order.

    Raises the failure of the first job in their order that failed, once those under way have ended.
    """
    listed = list(jobs)
    if parallel <= 1 or len(listed) <= 1:
        for job in listed:
            job()
        return
    with ThreadPoolExecutor(min(parallel, len(listed)), thread_name_prefix="pull") as pool:
        futures = [pool.submit(job) for job in listed]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            _cancel(futures)
    for future in futures:
        if not future.cancelled():
            future.result()


def _cancel(futures: Sequence[Future[None]]) -> None:
    for future in futures:
        future.cancel()
