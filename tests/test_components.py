from hypothesis import given
from hypothesis import strategies as st

from etl.models.components import components

NODES = st.integers(0, 30).map(lambda n: f"n{n:02}")


def spread(links: list[tuple[str, str]]) -> dict[str, str]:
    """Return the smallest node that each can be reached from, along every link."""
    smallest = {node: node for link in links for node in link}
    for _ in smallest:
        for left, right in links:
            least = min(smallest[left], smallest[right])
            smallest[left] = smallest[right] = least
    return smallest


@given(st.lists(st.tuples(NODES, NODES), max_size=60))
def test_components_are_those_of_going_along_every_link(links: list[tuple[str, str]]) -> None:
    """Every node is in the component of what it can be reached from."""
    assert components(links) == spread(links)


@given(st.lists(st.tuples(NODES, NODES), max_size=40), st.randoms())
def test_the_order_of_links_does_not_matter(links: list[tuple[str, str]], random: object) -> None:
    """Links in another order, or the other way round, make the same components."""
    turned = [(right, left) for left, right in links]
    random.shuffle(turned)

    assert components(turned) == components(links)


def test_a_long_chain_is_one_component() -> None:
    """A hundred thousand nodes in a row, worst end first, hang together."""
    names = [f"n{n:06}" for n in range(100_000)]
    found = components(reversed(list(zip(names[1:], names[:-1], strict=True))))

    assert set(found.values()) == {"n000000"}
    assert len(found) == 100_000
