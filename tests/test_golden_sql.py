from difflib import ndiff
from pathlib import Path

import pytest
from cases import FOLDER, compared

from etl.models import relations

CASES = sorted(case.stem for case in FOLDER.glob("*.txt"))
SELECTS = {select.stem for select in Path(relations.__file__).with_name("sql").glob("*.sql")}


@pytest.mark.parametrize("file", CASES)
def test_a_select_returns_what_is_expected_of_its_rows(file: str) -> None:
    """Each select makes of a few rows by hand what its rule says."""
    found, expected = compared(file)

    assert found == expected, "\n".join(ndiff(expected, found))


def test_each_select_has_one_case() -> None:
    """Every file of the models' SQL has a case, and every case a file."""
    assert SELECTS.symmetric_difference(CASES) == set()
