from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from similia.cli.text import clean, one_line, width


@given(st.text())
def test_nothing_that_a_terminal_would_obey_is_left(text: str) -> None:
    for character in clean(text):
        assert character in "\n\t" or unicodedata.category(character) != "Cc"
        assert unicodedata.bidirectional(character) not in (
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        )


@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@given(st.text(), st.integers(1, 30))
def test_a_line_fits(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert cell_len(line) <= limit
    assert "\n" not in line
    if width(one_line(text)) <= limit:
        assert line == one_line(text)
    else:
        assert line.endswith("…")


def test_wide_characters_count_double() -> None:
    assert [width(text) for text in ("abc", "漢字", "e\u0301", "👩")] == [3, 4, 1, 2]
