from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from similia.demo.report import plots

COUNTS = st.dictionaries(st.text(max_size=40), st.integers(0, 10**6), max_size=12)


def _rects(svg: str) -> list[dict[str, str]]:
    return [dict(one.attrib) for one in ET.fromstring(svg).iter("rect")]


@given(COUNTS)
def test_bars_are_well_formed_and_as_long_as_their_counts(values: dict[str, int]) -> None:
    printable = {re.sub(r"[^\x20-\ud7ff]", "", name): count for name, count in values.items()}
    svg = plots.bars(printable, label="a & b")
    widths = [float(rect["width"]) for rect in _rects(svg)]
    assert len(widths) == len(printable)
    largest = max(printable.values(), default=0)
    for width, count in zip(widths, printable.values(), strict=True):
        assert abs(width - max(count / (largest or 1) * max(widths), 0.5)) <= 0.51


def test_stacked_bars_add_up() -> None:
    svg = plots.stacked_bars({"x": {"b": 1, "a": 3}, "y": {"a": 2}}, label="counts")
    rects = [rect for rect in _rects(svg) if rect["height"] != "11"]
    assert [rect["fill"] for rect in rects] == [plots.PALETTE[0], plots.PALETTE[1], plots.PALETTE[0]]
    first, second, third = (float(rect["width"]) for rect in rects)
    assert first == 3 * second
    assert abs(third - 2 * second) < 0.11
    assert "x: 3 a" in svg


def test_a_histogram_counts_as_numpy_does() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.1, 500).astype(np.float32)
    svg = plots.histogram({"one": values}, label="similarity", bins=10)
    low, high = np.floor(values.min() * 10) / 10, np.ceil(values.max() * 10) / 10
    counts, _ = np.histogram(values, bins=10, range=(low, high))
    path = next(one.attrib["d"] for one in ET.fromstring(svg).iter("path") if "fill-opacity" in one.attrib)
    base = float(path.split(",")[1].split("H")[0])
    heights = [base - float(top) for top in re.findall(r"V([\d.]+)", path)[:10]]
    assert np.allclose(np.asarray(heights) / max(heights), counts / counts.max(), atol=0.01)
    assert f"median {np.median(values):.2f}" in svg


def test_nothing_to_draw_is_still_a_drawing() -> None:
    empty = np.empty(0, np.float32)
    drawings = (plots.bars({}, label=""), plots.stacked_bars({}, label=""), plots.histogram({"a": empty}, label=""))
    for svg in drawings:
        assert ET.fromstring(svg).tag == "svg"


def test_groups_beyond_the_palette_share_the_last_colour() -> None:
    assert plots.colours(14)[-1] == plots.colours(12)[-1] == plots.OTHERS
    assert len(set(plots.colours(12))) == 12
