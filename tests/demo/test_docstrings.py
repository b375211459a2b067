from __future__ import annotations

import inspect
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.demo.harvest import docstrings
from similia.demo.harvest.docstrings import SUMMARY_LIMIT, TEXT_LIMIT, read


def test_summary_is_the_first_sentence_and_text_the_paragraphs_before_the_sections() -> None:
    doc = read(
        """Compute the inverse.

        It is slow for large arrays.

        Parameters
        ----------
        a : array
            What to invert.

        Notes
        -----
        Never mind.
        """
    )
    assert doc.summary == "Compute the inverse."
    assert doc.text == "Compute the inverse.\n\nIt is slow for large arrays."
    assert not doc.has_examples


@pytest.mark.parametrize(
    ("docstring", "name", "summary", "call"),
    [
        ("add(x1, x2, /, out=None)\n\nAdd arguments.", "add", "Add arguments.", "(x1, x2, /, out=None)"),
        ("S.find(sub) -> int\n\nReturn the index.", "find", "Return the index.", "(sub) -> int"),
        ("f(x) -- Do it well.", "f", "Do it well.", "(x)"),
        ("range(stop) -> range object\nrange(start, stop)\n\nReturn a sequence.", "range", "Return a sequence.",
         "(stop) -> range object"),
        ("busday(dates,\n       roll='raise')\n\nAdjust the dates.", "busday", "Adjust the dates.",
         "(dates, roll='raise')"),
        ("other(x)\n\nSays other.", "this", "other(x)", ""),
    ],
)  # fmt: skip
def test_a_call_that_opens_the_docstring_is_not_the_summary(docstring: str, name: str, summary: str, call: str) -> None:
    doc = read(docstring, name)
    assert (doc.summary, doc.call) == (summary, call)


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("Like :func:`numpy.add` but ``fast``.", "Like add but fast."),
        ("See :py:class:`~asyncio.Task` or `here <http://x>`_.", "See Task or here <http://x>."),
        ("This is **bold**::", "This is bold:"),
        (":class:`Future` is raised into.", "Future is raised into."),
    ],
)
def test_markup_becomes_plain_text(markup: str, plain: str) -> None:
    assert read(markup).text.startswith(plain.removesuffix(":").split("<")[0].strip())


@pytest.mark.parametrize("example", [">>> f(1)", "Examples\n--------\nx", "Example:\n    x", ".. code-block:: python"])
def test_examples_are_noticed(example: str) -> None:
    assert read(f"Does it.\n\n{example}\n").has_examples
    assert not read("Does it, for example.").has_examples


@pytest.mark.parametrize("field", [":param x: the x", "Args:\n    x: the x", "@param x the x", ".. note:: careful"])
def test_what_follows_the_prose_is_left_out(field: str) -> None:
    assert read(f"Does it.\n\n{field}").text == "Does it."


def test_real_docstrings_keep_their_meaning() -> None:
    assert read(inspect.getdoc(math.hypot) or "", "hypot").summary.startswith("Multidimensional Euclidean distance")
    assert "JSON document" in read(json.loads.__doc__ or "", "loads").summary


@given(st.text(max_size=400), st.text(alphabet="abc_", max_size=5))
def test_any_text_is_read_within_its_limits(text: str, name: str) -> None:
    doc = read(text, name)
    assert len(doc.summary) <= SUMMARY_LIMIT
    assert len(doc.text) <= TEXT_LIMIT
    assert "\n" not in doc.summary


def test_long_text_is_cut_at_a_word() -> None:
    doc = read("word " * 1_000)
    assert doc.summary.endswith("word…")
    assert len(doc.summary) <= docstrings.SUMMARY_LIMIT
