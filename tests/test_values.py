import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl import values

ANY_TEXT = st.text(st.characters(categories=None, exclude_categories=()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=8,
)


@given(JSON)
def test_text_of_anything_can_be_stored(value: object) -> None:
    """Whatever JSON holds becomes text that is valid UTF-8 and not empty, or nothing."""
    found = values.text(value)
    assert found is None or found.encode()


@given(st.text(min_size=1))
def test_sound_text_stays_as_it_is(value: str) -> None:
    """Text without lone surrogates is untouched: BOM, NUL, U+200B and U+FFFD included."""
    assert values.text(value) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        (" ", " "),
        ("a\ud800b", "a\ufffdb"),
        ("\udc00", "\ufffd"),
        ("\ud83d\ude00", "😀"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (2**70, "1180591620717411303424"),
        (1.5, "1.5"),
        ([], "[]"),
        ({}, "{}"),
        ({"b": [1, None, "ü"], "a": True}, '{"a": true, "b": [1, null, "ü"]}'),
        (["\ud800"], '["\ufffd"]'),
    ],
)
def test_text(value: object, expected: str | None) -> None:
    """Text keeps its value: structures as JSON in their order, lone surrogates replaced."""
    assert values.text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (-1, -1),
        ("42", 42),
        (" 42 ", 42),
        ("-42", -42),
        (5.0, 5),
        (2**53 + 1, 2**53 + 1),
        (str(2**53 + 1), 2**53 + 1),
        ("639143442061234567", 639143442061234567),
        (2**63 - 1, 2**63 - 1),
        (str(-(2**63)), -(2**63)),
        (2**63, None),
        (-(2**63) - 1, None),
        (str(2**63), None),
        ("9" * 5000, None),
        (True, None),
        (False, None),
        (None, None),
        ("", None),
        ("-", None),
        ("--5", None),
        ("+5", None),
        ("0x10", None),
        ("1e3", None),
        ("1_000", None),
        ("4,5", None),
        ("²", None),
        ("٤", None),
        (5.5, None),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
        ([5], None),
        ({"value": 5}, None),
    ],
)
def test_integer(value: object, expected: int | None) -> None:
    """Whole numbers are exact to 64 bits, as numbers or digits; everything else is nothing."""
    assert values.integer(value) == expected
    assert not isinstance(values.integer(value), bool)


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_pass_through_no_float(value: int) -> None:
    """Every 64-bit number is exact, given as a number or as digits."""
    assert values.integer(value) == values.integer(str(value)) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        ("1", True),
        ("0", False),
        ("true", True),
        (" False ", False),
        ("TRUE", True),
        (2, None),
        (-1, None),
        ("yes", None),
        ("", None),
        (None, None),
        ([], None),
        ([1], None),
        ({"true": True}, None),
    ],
)
def test_boolean(value: object, expected: object) -> None:
    """Truth comes as true/false, as 0/1 or as their text; everything else is nothing."""
    assert values.boolean(value) is expected


@given(JSON)
def test_no_value_makes_a_reader_fail(value: object) -> None:
    """Every reader answers any JSON value with what it reads or with nothing."""
    number = values.integer(value)
    assert number is None or -(2**63) <= number < 2**63
    assert values.boolean(value) in {True, False, None}
    assert all(isinstance(found, str) and found for found in values.texts(value))
    assert isinstance(values.part(value), dict)
    assert values.joined(value, value) is None or values.joined(value, "x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, []),
        ("", []),
        ("T1059", ["T1059"]),
        (["T1059", None, "", "T1027"], ["T1059", "T1027"]),
        ([7, ["x"]], ["7", '["x"]']),
        ({"a": 1}, ['{"a": 1}']),
    ],
)
def test_texts(value: object, expected: list[str]) -> None:
    """A list of texts drops what is empty; a single value is a list of one."""
    assert values.texts(value) == expected


@pytest.mark.parametrize(
    ("directory", "name", "expected"),
    [
        (r"C:\Windows\System32", "cmd.exe", r"C:\Windows\System32\cmd.exe"),
        ("C:\\", "cmd.exe", r"C:\cmd.exe"),
        (r"C:\Windows\System32\CMD.EXE", "cmd.exe", r"C:\Windows\System32\CMD.EXE"),
        (r"C:\cmd.exe.d", "cmd.exe", r"C:\cmd.exe.d\cmd.exe"),
        (r"C:\mycmd.exe", "cmd.exe", r"C:\mycmd.exe\cmd.exe"),
        ("/usr/bin", "bash", "/usr/bin/bash"),
        ("/usr/bin/bash", "bash", "/usr/bin/bash"),
        ("/usr/bin/", "bash", "/usr/bin/bash"),
        ("/", "init", "/init"),
        (r"\\server\share", "x.exe", r"\\server\share\x.exe"),
        (None, "cmd.exe", "cmd.exe"),
        (r"C:\Windows", None, r"C:\Windows"),
        ("", "", None),
        (None, None, None),
    ],
)
def test_joined(directory: object, name: object, expected: str | None) -> None:
    """A directory and a file become hunting's full path, with the separator the directory has."""
    assert values.joined(directory, name) == expected


@given(st.dictionaries(ANY_TEXT, JSON, min_size=2))
def test_digest_does_not_depend_on_key_order(value: dict[str, object]) -> None:
    """Equal objects have equal canonical text and digests, whatever the order of their keys."""
    turned = dict(reversed(value.items()))
    assert values.canonical(turned) == values.canonical(value)
    assert values.digest(turned) == values.digest(value)


@given(JSON)
def test_canonical_is_plain_and_survives_reading(value: object) -> None:
    """Canonical JSON is ASCII on one line, and reading it back gives the same canonical text."""
    text = values.canonical(value)
    assert text.isascii()
    assert "\n" not in text
    assert values.canonical(json.loads(text)) == text


def test_digests_of_different_values_differ() -> None:
    """Type and structure count: a number is not its text, null is not absent."""
    seen = [{"a": 1}, {"a": "1"}, {"a": None}, {}, {"a": [1]}, {"a": 1.5}, {"a": True}]
    assert len({values.digest(value) for value in seen}) == len(seen)
