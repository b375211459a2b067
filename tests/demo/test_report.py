from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from similia.demo import report
from similia.demo.report.page import GRID, map_data, render
from similia.demo.story import Story

VOID = {"meta", "link", "br", "img", "input", "hr", "path", "rect"}


class Reader(HTMLParser):
    """Checks that elements nest, and keeps what would be asked of a network."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.scripts: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
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
        (self.scripts if self.open and self.open[-1] == "script" else self.words).append(data)


@pytest.fixture(scope="module")
def page(make_story: Callable[..., Story]) -> tuple[str, Reader]:
    text = render(make_story())
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return text, reader


def test_the_page_is_one_file_that_asks_nothing_of_a_network(page: tuple[str, Reader]) -> None:
    text, reader = page
    assert reader.addresses == []
    assert not re.search(r"https?://|url\(|@import|fetch\(|XMLHttp|WebSocket|import\(", text)


def test_item_text_cannot_leave_its_place(page: tuple[str, Reader]) -> None:
    text, reader = page
    assert len(reader.scripts) == 2  # the data and the map, nothing that an item brought along
    assert "alert(1)" in " ".join(reader.words)
    assert "<script>alert" not in text


def test_everything_that_the_tour_found_is_told(page: tuple[str, Reader]) -> None:
    words = " ".join(" ".join(page[1].words).split())
    for part in ("A title & more", "k0", "0.900", "99.0 %", "6 others", "similia duplicates", "漢字", "Your own"):
        assert part in words


def test_the_map_is_what_was_given(page: tuple[str, Reader], make_story: Callable[..., Story], nasty: str) -> None:
    data = json.loads(page[1].scripts[0])
    points = make_story().points
    assert points is not None
    assert (data["keys"], data["notes"], data["group"]) == (points.keys, points.notes, points.group)
    xy = np.frombuffer(base64.b64decode(data["xy"]), "<u2").reshape(-1, 2).astype(np.float64)
    span = points.xy.max(axis=0) - np.minimum(points.xy.min(axis=0), 0)
    back = xy / GRID * span + np.minimum(points.xy.min(axis=0), 0)
    assert np.abs(back - points.xy).max() < 1e-3
    assert data["groups"][2] == nasty


def test_an_empty_story_is_a_page_too(make_story: Callable[..., Story]) -> None:
    empty = make_story(0)
    empty.points, empty.comparison, empty.labels = None, None, None
    empty.searches, empty.duplicates, empty.next_steps = [], [], []
    empty.spreads, empty.counts = {}, {}
    reader = Reader()
    reader.feed(render(empty))
    assert reader.open == []


def test_points_in_one_place_are_no_trouble(make_story: Callable[..., Story]) -> None:
    points = make_story(3).points
    assert points is not None
    points.xy[:] = 0
    assert len(base64.b64decode(map_data(points)["xy"])) == 12


def test_writing_replaces_the_file_in_one_step(tmp_path: Path, make_story: Callable[..., Story]) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    assert report.write(make_story(), path) == path
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
