"""Descriptions of classes: what is accepted, what is refused, and by which name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.classify import check_classes, encode_classes, parse_classes
from similia.errors import InputError


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({}, "no classes"),
        ({"sport": []}, "class 'sport' has no keywords"),
        ({"sport": ["  "]}, "class 'sport' has no keywords"),
        ({"sport": ["ball", 3]}, "a keyword of class 'sport' is 3"),
        ({"sport": "ball"}, "class 'sport': keywords must be a list"),
        ({"sport": None}, "class 'sport': keywords must be a list"),
        ({" ": ["ball"]}, "not empty"),
        ({3: ["ball"]}, "a class name is 3"),
        ({"sport": ["a"], "sport ": ["b"]}, "described twice"),
    ],
)
def test_bad_descriptions_name_the_class(classes: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_classes(classes)  # type: ignore[arg-type]


def test_lines() -> None:
    lines = ["# topics", "", "audio", "vision: images,  moving   pictures ,", "time: 10:30, noon"]
    assert parse_classes(lines) == {
        "audio": ("audio",),
        "vision": ("images", "moving pictures"),
        "time": ("10:30", "noon"),
    }


@pytest.mark.parametrize(
    ("line", "message"), [(": a, b", "line 1"), ("sport:", "class 'sport'"), ("sport: ,", "class 'sport'")]
)
def test_bad_lines(line: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_classes([line])
    with pytest.raises(InputError, match="line 2: class 'a'"):
        parse_classes(["a", "a: b"])


words = st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6), min_size=1, max_size=5)


@given(st.dictionaries(st.text(st.characters(categories=["L"]), min_size=1, max_size=6), words, min_size=1, max_size=5))
def test_each_keyword_is_encoded_once_and_stays_with_its_class(classes: dict[str, list[str]]) -> None:
    seen: list[str] = []

    def encode(texts: list[str]) -> np.ndarray:
        seen.extend(texts)
        return np.arange(len(texts) * 2, dtype=np.float32).reshape(-1, 2)

    names, seeds = encode_classes(classes, encode)
    checked = check_classes(classes)
    assert names == tuple(checked)
    assert [len(part) for part in seeds] == [len(found) for found in checked.values()]
    assert seen == [word for found in checked.values() for word in found]
