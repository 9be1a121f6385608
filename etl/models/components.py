"""Connected components: which nodes hang together by links, named by their smallest node."""

from collections.abc import Iterable


def components(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the smallest node of the component that each node of some links is in.

    Takes time in proportion to the links, however long the chains: SQL's recursion takes as many
    rounds as a chain is long.
    """
    above: dict[str, str] = {}

    def top(node: str) -> str:
        while above.setdefault(node, node) != node:
            above[node] = node = above[above[node]]
        return node

    for left, right in links:
        first, second = sorted((top(left), top(right)))
        above[second] = first
    return {node: top(node) for node in above}
