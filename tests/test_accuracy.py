"""The correlation held against worlds whose truth is known; see `accuracy`.

Nothing of these worlds comes from the pipeline or its sandbox. A failure names its case and seeds;
`python -m accuracy CASE SEED` with PYTHONPATH=tests tells one again.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import SystemRandom

import pytest
from accuracy.cases import CASES
from accuracy.judging import Judgement, answer, judge, judgements
from accuracy.table import SEEDS, table

FRESH = [SystemRandom().randrange(len(SEEDS), 2**32) for _ in range(10)]
SHOWN = 3

Judged = dict[str, list[Judgement]]


@pytest.fixture(scope="module")
def judged() -> Judged:
    """Judge all cases by the usual seeds and some that nobody has seen."""
    return judge(CASES.values(), [*SEEDS, *FRESH])


def those(found: Sequence[Judgement], bad: Callable[[Judgement], bool]) -> str:
    """Tell which do not hold: how many, and the first few."""
    failing = [one for one in found if bad(one)]
    lines = [f"{len(failing)} of {len(found)}", *map(str, failing[:SHOWN])]
    return "\n".join(lines) if failing else ""


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_matched_to_a_process_that_it_does_not_mean(case: str, judged: Judged) -> None:
    """A match by process key is the true process, always."""
    found = those(judged[case], lambda one: one.wrong)

    assert not found, found


@pytest.mark.parametrize("case", CASES)
def test_what_the_data_decides_is_matched(case: str, judged: Judged) -> None:
    """Evidence with a usable key, and telemetry that tells which process it means, has a match."""
    found = those(judged[case], lambda one: one.missed)

    assert not found, found


@pytest.mark.parametrize("case", CASES)
def test_ambiguous_is_what_the_data_cannot_decide(case: str, judged: Judged) -> None:
    """Evidence is called ambiguous where several processes answer to it, and nowhere else."""
    found = those(judged[case], lambda one: one.called != one.ambiguous)

    assert not found, found


@pytest.mark.parametrize("case", CASES)
def test_every_miss_has_its_reason(case: str, judged: Judged) -> None:
    """Evidence without a match has the reason that is true, and only that has one."""
    found = those(judged[case], lambda one: not one.reasoned)

    assert not found, found


@pytest.mark.parametrize("case", CASES)
def test_the_tier_says_how_the_times_agree(case: str, judged: Judged) -> None:
    """A match is exact, by precision or by tolerance, as its times are."""
    found = those(judged[case], lambda one: one.right and not one.tiered)

    assert not found, found


@pytest.mark.parametrize("case", CASES)
def test_every_event_is_of_its_process(case: str, judged: Judged) -> None:
    """What is tied to a match is about the true process, or caused by it, as its role says."""
    found = those(judged[case], lambda one: bool(one.strangers))

    assert not found, found


@pytest.mark.parametrize("case", CASES)
def test_no_event_is_left_out(case: str, judged: Judged) -> None:
    """Every event that can only be of the matched process is tied to it."""
    found = those(judged[case], lambda one: bool(one.left_out))

    assert not found, found


@pytest.mark.parametrize("case", CASES)
def test_a_fact_that_decides_is_told(case: str, judged: Judged) -> None:
    """Where times leave several processes and facts decide, `Because` names one of these."""
    found = those(judged[case], lambda one: not one.explained)

    assert not found, found


def test_nearly_everything_that_can_be_found_is(judged: Judged) -> None:
    """At least 99.5 % of what the data decides is matched, over all cases."""
    due = [one for found in judged.values() for one in found if one.truth.sight]
    matched = sum(one.right for one in due)

    assert len(due) > 10_000
    assert matched >= 0.995 * len(due), f"{matched} of {len(due)}"


def test_every_case_comes_about(judged: Judged) -> None:
    """There is something of everything to be judged: matches, ambiguities and every reason."""
    everything = [one for found in judged.values() for one in found]

    assert {one.truth.tier for one in everything} == {"none", "exact", "precision", "tolerance"}
    assert {one.truth.reason for one in everything} == {
        None, "no_usable_key", "ambiguous", "not_landed_yet", "outside_retention",
        "device_silent", "incomplete_pull", "no_match",
    }  # fmt: skip
    assert any(one.truth.told for one in everything)


def test_a_lie_is_caught() -> None:
    """Answers that are made worse are judged so: another process, none, other events."""
    case = CASES["pid used again after 1 ms"]
    world = case.world(1)
    told = answer([world], case.call)
    ((key, said),) = told.items()

    def judged(**lie: object) -> Judgement:
        changed = replace(said, row={**said.row, **lie}, events=frozenset({("e", "subject")}))
        return judgements(world, case.call, {key: changed})[0]

    honest = judgements(world, case.call, told)[0]
    assert honest.right
    assert (honest.wrong, honest.missed, honest.strangers) == (False, False, frozenset())
    assert judged(MatchedProcessCreationTicks=said.row["MatchedProcessCreationTicks"] + 1).wrong
    assert judged(DeviceId="another").wrong
    assert judged(MatchTier="none", Reason="no_match").missed
    assert not judged(MatchTier="none", Reason="no_match").reasoned
    assert judged().strangers == {("e", "subject")}
    assert judged().left_out == honest.answer.events


def test_worlds_are_their_seeds() -> None:
    """A case and a seed are one world, again and again."""
    for case in CASES.values():
        one, again = case.world(5), case.world(5)

        assert [(i.id, i.time, i.facts) for i in one.items] == [
            (i.id, i.time, i.facts) for i in again.items
        ]


def test_the_readme_shows_the_table(judged: Judged) -> None:
    """The README's table is that of the usual seeds, as `make accuracy` prints it."""
    usual = {
        case: [one for one in found if one.world.seed in SEEDS] for case, found in judged.items()
    }
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    lines = table(usual).splitlines()

    assert [line for line in lines if line not in readme.splitlines()] == []
