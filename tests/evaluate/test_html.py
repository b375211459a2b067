"""The report of an evaluation as a page: one file, well formed, every number in it, no text that is obeyed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.errors import InputError
from similia.evaluate.html import plots, render, svg, write

VOID = {"meta", "link", "br", "img", "input", "hr", "path", "rect", "circle", "polyline"}
NAMES = st.text(max_size=30).map(lambda name: re.sub(r"[^\x20-\ud7ff]", "", name))


class Reader(HTMLParser):
    """Checks that elements nest, and keeps the words and what would be asked of a network."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "srcset", "data")]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def page(make_told: Callable[..., dict[str, Any]]) -> Reader:
    return Reader(render(make_told()))


def test_it_is_one_file_that_asks_nothing_of_a_network(make_told: Callable[..., dict[str, Any]], page: Reader) -> None:
    assert page.addresses == []
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert not re.search(r"https?://|url\(|@import|javascript:", render(make_told()))


def test_every_number_is_there(make_told: Callable[..., dict[str, Any]], page: Reader) -> None:
    told = make_told()
    for one in told["settings"].values():
        for value in one["values"].values():
            for part in ("value", "low", "high"):
                assert f"{value[part]:.3f}" in page.said
        for difference in one["differences"].values():
            assert f"{difference['value']:+.3f}" in page.said
            assert f"p = {difference['p']:.3f}" in page.said or "p < 0.001" in page.said
    for one in told["losses"]:
        for stage, value in one["lost"].items():
            assert f"{value * 100:.1f} %" in page.said
            assert one["says"][stage] in page.said
    for query in told["per_query"]:
        assert query["query"] in page.said
    for note in told["notes"]:
        assert note in page.said
    assert "Off by 0.100 in the mean (ECE)" in page.said


def test_a_hostile_query_stays_text(make_told: Callable[..., dict[str, Any]], page: Reader) -> None:
    assert "<script>alert(1)</script>" in page.said  # as text
    text = render(make_told())
    assert "<script" not in text
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "\x00" not in text


def test_what_json_gives_back_makes_the_same_page(make_told: Callable[..., dict[str, Any]]) -> None:
    told = make_told()
    assert render(json.loads(json.dumps(told))) == render(told)


def test_less_makes_a_page_too(make_told: Callable[..., dict[str, Any]]) -> None:
    told = make_told()
    (name, first), *_ = told["settings"].items()
    only = {**first, "milliseconds": None, "judged": None, "differences": {}}
    only["values"] = {metric: {**one, "low": None, "high": None} for metric, one in first["values"].items()}
    few = [{**one, "settings": {name: one["settings"][name]}} for one in told["per_query"][:1]]
    told |= {
        "settings": {name: only}, "losses": [], "calibration": {}, "notes": [], "per_query": few,
        "hardest": [few[0]["query"]], "queries": {"counted": 1, "measured": 1, "planned": 1},
    }  # fmt: skip
    said = Reader(render(told)).said
    assert "1 query with" in said
    assert "against" not in said
    assert "Where relevant items are lost" not in said
    assert "bootstrap" not in said


def test_many_queries_are_listed_in_part(make_told: Callable[..., dict[str, Any]]) -> None:
    told = make_told()
    one = told["per_query"][1]
    told["per_query"] = [*told["per_query"], *({**one, "query": f"more{n}"} for n in range(400))]
    said = Reader(render(told)).said
    assert "200 of 404" in said


def test_a_file_is_written_whole_or_not_at_all(make_told: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    assert write(make_told(), target) == target
    assert target.read_text(encoding="utf-8") == render(make_told())
    with pytest.raises(InputError, match="there is no folder"):
        write(make_told(), tmp_path / "absent" / "report.html")
    with pytest.raises(KeyError):
        write({}, target)
    assert target.read_text(encoding="utf-8") == render(make_told())
    assert list(tmp_path.iterdir()) == [target]


@given(st.dictionaries(NAMES, st.tuples(st.floats(0, 1), st.floats(0, 0.2), st.booleans()), min_size=1, max_size=5))
def test_intervals_are_drawn_to_scale(values: dict[str, tuple[float, float, bool]]) -> None:
    given_ = {
        name: (mean, max(mean - half, 0.0), min(mean + half, 1.0)) if certain else (mean, None, None)
        for name, (mean, half, certain) in values.items()
    }
    drawn = ET.fromstring(plots.intervals(given_, label="a & b"))
    dots = [float(one.attrib["cx"]) for one in drawn.iter("circle")]
    assert len(dots) == len(values)
    assert all(150 <= dot <= svg.HALF for dot in dots)
    means = [mean for mean, _, _ in values.values()]
    for a in range(len(dots)):
        for b in range(len(dots)):
            if means[a] > means[b] + 0.01:
                assert dots[a] > dots[b]


@given(st.floats(0, 1), st.lists(st.floats(-0.2, 1), max_size=5))
def test_a_bar_of_losses_is_as_long_as_everything(found: float, lost: list[float]) -> None:
    stages = {f"s{at}": value for at, value in enumerate(lost)}
    drawn = ET.fromstring(plots.losses(found, stages, label="x"))
    wide = [float(one.attrib["width"]) for one in drawn.iter("rect")]
    assert len(wide) == 1 + sum(value > 0 for value in lost)
    if found + sum(value for value in lost if value > 0) > 0.01:
        assert abs(sum(wide) - (svg.WIDE - 4)) < 1 + len(wide)


@given(st.lists(st.tuples(NAMES, st.floats(-1, 1)), max_size=30))
def test_differences_stand_above_and_below(values: list[tuple[str, float]]) -> None:
    drawn = ET.fromstring(plots.differences(values, label="x"))
    bars = list(drawn.iter("rect"))
    assert len(bars) == len(values)
    middle = 75.0
    for bar, (_, value) in zip(bars, sorted(values, key=lambda pair: -pair[1]), strict=True):
        top, tall = float(bar.attrib["y"]), float(bar.attrib["height"])
        assert (top >= middle) if value <= 0 else (top + tall <= middle + 0.6)


@given(st.dictionaries(NAMES, st.dictionaries(st.sampled_from([1, 10, 100]), st.floats(0, 1), min_size=1), max_size=4))
def test_curves_are_well_formed(curves: dict[str, dict[int, float]]) -> None:
    drawn = ET.fromstring(plots.depths(curves, label="x"))
    lines = list(drawn.iter("polyline"))
    assert [len(one.attrib["points"].split()) for one in lines] == [len(curve) for curve in curves.values()]
