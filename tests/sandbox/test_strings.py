"""String literals of queries: what each escape stands for."""

import pytest

from etl.sandbox import strings


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r'"a\"b\\c\'d"', "a\"b\\c'd"),
        (r'"\a\b\f\n\r\t\v\0"', "\a\b\f\n\r\t\v\0"),
        (r'"\u0041\x42\U00000043"', "ABC"),
        (r'"\uD83D\uDE00"', "😀"),
        (r'"\uD83D"', "\ufffd"),
        (r'"\\u0041"', "\\u0041"),
        (r'@"C:\new\u0041"', r"C:\new\u0041"),
        ("@'it''s'", "it's"),
        ("''", ""),
        ("name", "name"),
    ],
)
def test_a_literal_stands_for_its_text(literal: str, text: str) -> None:
    """Every escape of the language is read, none in a verbatim literal."""
    assert strings.value(literal) == text
