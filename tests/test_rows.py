import json
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from etl.access.failures import Again
from etl.errors import ServiceFailed
from etl.sources import rows

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def answered(content: bytes) -> requests.Response:
    """Return a response with a body."""
    response = requests.Response()
    response.status_code = 200
    response._content = content  # noqa: SLF001 - there is no other way to make one
    return response


@given(
    st.dictionaries(st.text(), JSON, max_size=3),
    st.lists(st.dictionaries(st.text(), JSON, max_size=3)),
    st.sampled_from(["results", "Results", "RESULTS"]),
    st.sampled_from([None, 1, "\t"]),
)
def test_every_row_is_split_off_as_it_was_sent(
    others: dict[str, Any], sent: list[dict[str, Any]], name: str, indent: int | str | None
) -> None:
    """Whatever stands around the list of rows, each row's text says what the row says."""
    around = {key: value for key, value in others.items() if key.lower() != "results"}
    text = json.dumps(around | {name: sent}, indent=indent)
    found = rows.split(text)

    assert found is not None
    assert [json.loads(row) for row in found] == sent
    assert all(row in text for row in found)


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=2), min_size=1), st.data())
def test_a_body_that_stops_in_the_middle_is_asked_for_again(
    sent: list[dict[str, Any]], data: st.DataObject
) -> None:
    """No part of a whole body passes for a whole one."""
    text = json.dumps({"schema": [], "results": sent}).encode()
    with pytest.raises(Again):
        rows.read(answered(text[: data.draw(st.integers(0, len(text) - 1))]), "hunt")


@pytest.mark.parametrize(
    "body", ["[]", "7", "{}", '{"results": null}', '{"results": {}}', '{"results": ["x"]}']
)
def test_an_answer_without_rows_is_a_failure(body: str) -> None:
    """An answer that is no list of rows is never taken for an empty result."""
    with pytest.raises(ServiceFailed, match="no list of rows"):
        rows.read(answered(body.encode()), "hunt")


@pytest.mark.parametrize("body", ['{"results": [{}],}', '{"results": [{},]}', '{"results": []} x'])
def test_what_is_no_json_is_asked_for_again(body: str) -> None:
    """Text that only looks like an answer is not taken for one."""
    with pytest.raises(Again):
        rows.read(answered(body.encode()), "hunt")
