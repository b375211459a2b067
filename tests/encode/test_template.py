from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.encode import FieldTemplate
from similia.errors import InputError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
)


@given(st.dictionaries(st.sampled_from("abcd"), VALUES))
def test_any_record_gives_a_text(record):
    text = FieldTemplate(("a", "b", "z")).render(record)
    assert isinstance(text, str)
    assert text == FieldTemplate(("a", "b")).render(record)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" x ", "x"),
        ("", ""),
        (None, ""),
        (float("nan"), ""),
        (np.float64("nan"), ""),
        (0, "0"),
        (False, "False"),
        ([], ""),
        ({}, ""),
        (["a", "", None, "b"], "a, b"),
        ({"b", "a"}, "a, b"),
        ({"k": ["v"]}, '{"k": ["v"]}'),
        (datetime.date(1969, 7, 20), "1969-07-20"),
    ],
)
def test_values_become_text(value, text):
    assert FieldTemplate("f").render({"f": value}) == text


def test_fields_stand_in_the_order_of_the_template():
    record = {"b": "2", "a": "1", "c": " "}
    assert FieldTemplate(["a", "c", "b"]).render(record) == "1\n2"
    assert FieldTemplate(["b", "a"], labelled=True).render(record) == "b: 2\na: 1"


@pytest.mark.parametrize("fields", [(), ("a", "a")])
def test_no_field_and_a_field_twice_are_refused(fields):
    with pytest.raises(InputError):
        FieldTemplate(fields)
