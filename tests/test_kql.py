import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import ticks
from etl.contracts.hunting import TABLES
from etl.sources import kql

ANY_TEXT = st.text(st.characters(categories=None, exclude_categories=()))
SIMPLE = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}


def read_literal(source: str) -> tuple[str, str]:
    """Read a KQL string literal as the language defines it; return its value and what follows."""
    assert source[0] == '"'
    units, at = bytearray(), 1
    while source[at] != '"':
        if source[at] != "\\":
            assert source[at] not in "\r\n"
            units += source[at].encode("utf-16-be")
            at += 1
        elif source[at + 1] == "u":
            units += bytes.fromhex(source[at + 2 : at + 6])
            at += 6
        else:
            units += SIMPLE[source[at + 1]].encode("utf-16-be")
            at += 2
    return units.decode("utf-16-be", "surrogatepass"), source[at + 1 :]


def as_utf16(value: str) -> bytes:
    """Return text as the service sees it: a pair of surrogates is one character."""
    return value.encode("utf-16-be", "surrogatepass")


@given(ANY_TEXT)
@settings(max_examples=500)
def test_a_text_literal_is_read_back_whole(value: str) -> None:
    """Any text is one literal, in printable ASCII on one line, that says exactly that text."""
    literal = kql.text(value).kql
    found, rest = read_literal(literal)
    assert as_utf16(found) == as_utf16(value)
    assert rest == ""
    assert literal.isascii()
    assert literal.isprintable()


@pytest.mark.parametrize(
    "value",
    [
        '" or 1 == 1 or "" == "',
        "\\",
        '\\"',
        '\\\\" | union DeviceInfo //',
        "a\r\n| take 1",
        "\u2028\u0085\x00\x7f",
        "{scope}",
        "// comment",
        "\ud800",
        "😀",
    ],
)
def test_an_attackers_text_stays_a_text(value: str) -> None:
    """Quotes, backslashes, line ends, places and comments in a text do not leave the literal."""
    query = kql.bind(
        "device_window",
        devices=kql.texts([value, "second"]),
        start=kql.instant(0),
        end=kql.instant(1),
    )
    listed = query.kql.removeprefix("(DeviceId in~ (")
    found, rest = read_literal(listed)
    assert as_utf16(found) == as_utf16(value)
    assert rest.startswith(', "second") and Timestamp >= datetime(0001-01-01T00:00:00.0000000Z)')


def test_instants_keep_the_last_digit() -> None:
    """A datetime literal holds all seven digits."""
    value = ticks.from_text("2026-01-02T03:04:05.1234567Z")
    assert kql.instant(value).kql == "datetime(2026-01-02T03:04:05.1234567Z)"


def test_known_tables_are_listed() -> None:
    """Names of the schema's tables stand in a query as they are."""
    assert kql.tables(["DeviceEvents", "AlertInfo"]).kql == "DeviceEvents, AlertInfo"


@given(ANY_TEXT)
def test_unknown_tables_are_refused(name: str) -> None:
    """A name that the schema does not have never gets into a query."""
    if name not in TABLES:
        with pytest.raises(ValueError, match="is no hunting table"):
            kql.tables(["DeviceEvents", name])


@pytest.mark.parametrize("name", ["deviceevents", "DeviceEvents ", "DeviceEvents | take 1", ""])
def test_near_names_of_tables_are_refused(name: str) -> None:
    """A table's name is taken exactly or not at all."""
    with pytest.raises(ValueError, match="is no hunting table"):
        kql.tables([name])


@pytest.mark.parametrize("missing", ["table", "start", "end", "scope"])
def test_a_place_without_a_value_is_refused(missing: str) -> None:
    """A query with an unfilled place cannot be made."""
    values = {
        "table": kql.tables(["DeviceEvents"]),
        "start": kql.instant(0),
        "end": kql.instant(1),
        "scope": kql.either([]),
    }
    del values[missing]
    with pytest.raises(KeyError, match=missing):
        kql.bind("window", **values)


def test_a_value_without_a_place_is_refused() -> None:
    """A value that the query does not ask for is a mistake, not something to forget."""
    with pytest.raises(KeyError, match=r"newest\.kql: start has no place"):
        kql.bind("newest", table=kql.tables(["DeviceEvents"]), start=kql.instant(0))


@pytest.mark.parametrize(
    "wrong",
    [
        kql.text("DeviceEvents"),
        kql.texts(["DeviceEvents"]),
        kql.column("DeviceId"),
        kql.Literal("DeviceEvents"),
        kql.bind("newest", table=kql.tables(["DeviceEvents"])),
    ],
)
def test_a_value_of_another_kind_is_refused(wrong: kql.Literal) -> None:
    """Each place takes the kind of value that its file declares, and no other."""
    with pytest.raises(TypeError, match=r"newest\.kql: table must be tables, not "):
        kql.bind("newest", table=wrong)


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_numbers_are_written_as_digits(values: list[int]) -> None:
    """Whole numbers of any size are listed as they are."""
    assert [int(number) for number in kql.numbers(values).kql.split(", ") if number] == values


@pytest.mark.parametrize(
    ("value", "text"), [(100_000, "10ms"), (10_000, "1ms"), (10, "10tick"), (15_000, "15000tick")]
)
def test_spans_are_written_without_loss(value: int, text: str) -> None:
    """A span is in milliseconds where it is a whole number of them, else in ticks."""
    assert kql.span(value).kql == text


@pytest.mark.parametrize("name", ["filename", "FileName ", "FileName) or (true", "Nonsense", ""])
def test_unknown_columns_are_refused(name: str) -> None:
    """A column that no table has never gets into a query."""
    with pytest.raises(ValueError, match="is no column"):
        kql.column(name)


def test_comments_of_the_file_are_not_sent() -> None:
    """The query starts at its first line that is no comment."""
    query = kql.bind("newest", table=kql.tables(["DeviceEvents"])).kql
    assert query.splitlines()[0] == "DeviceEvents"
    assert "//" not in query


def test_alternatives_stand_in_parentheses() -> None:
    """Alternatives are one condition, which binds no neighbour."""
    first, second = kql.Literal("a"), kql.Literal("b")
    assert "".join(kql.either([first, second]).kql.split()) == "(aorb)"
    assert kql.every([first, second]).kql == "(a and b)"
    assert kql.either([first]) == kql.every([first]) == first
