"""The table by case: how much evidence there was, and what became of it."""

from collections.abc import Mapping, Sequence
from typing import Final

from accuracy.judging import Judgement

SEEDS: Final = range(300)
"""The worlds whose table is in the README."""

HEAD: Final = (
    "| Case | Evidence | Matched | Ambiguous | Missed | Wrong | Reason right |\n"
    "|---|--:|--:|--:|--:|--:|--:|"
)


def table(judged: Mapping[str, Sequence[Judgement]]) -> str:
    """Return the table in Markdown, a line a case, and all of them together."""
    everything = [one for found in judged.values() for one in found]
    lines = [_line(case, found) for case, found in judged.items()]
    return "\n".join([HEAD, *lines, _line("**all**", everything)])


def _line(case: str, found: Sequence[Judgement]) -> str:
    counts = [
        len(found),
        sum(one.right for one in found),
        sum(one.ambiguous for one in found),
        sum(one.missed for one in found),
        sum(one.wrong for one in found),
    ]
    due = [one for one in found if one.truth.reason]
    right = f"{sum(one.reasoned for one in due):,} of {len(due):,}" if due else ""
    return f"| {case} | {' | '.join(f'{n:,}' for n in counts)} | {right} |"
