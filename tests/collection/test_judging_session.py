"""Judging one item after another: one change, which others may interrupt, and which a kill leaves whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from similia import Collection
from similia.errors import InputError, UnknownItem

Rows = Callable[..., list[dict[str, Any]]]
ROWS = [
    {"id": "p1", "title": "Finding copies of images"},
    {"id": "p2", "title": "Copy detection at scale"},
    {"id": "p3", "title": "Fusing rankings"},
    {"id": "p4", "title": "Cats and dogs"},
]


@pytest.fixture
def papers(tmp_path: Path) -> Iterator[Collection]:
    with Collection.open(tmp_path / "papers", create=True) as made:
        made.add(ROWS, key="id", text="title", encoder="hashing:16")
        yield made


def test_a_session_is_one_change(papers: Collection) -> None:
    papers.judgments.add("copies", "p1", 1, note="before")
    with papers.judgments.session("copies") as session:
        assert session.grades() == {"p1": 1.0}
        session.judge("p1", 3)
        assert papers.log(1)[0].state == "open"
        session.judge("p2", 2)
        session.judge("p3", 0)
        assert session.take_back() == "p3"
        assert papers.judgments.qrels() == {"copies": {"p1": 3.0, "p2": 2.0}}
        with pytest.raises(UnknownItem):
            session.judge("p99", 1)
        with pytest.raises(InputError):
            session.judge("p1", -1)
    assert [(row.command, row.state) for row in papers.log(2)] == [("judge", "done"), ("judge", "done")]
    assert papers.log(1)[0].arguments == {"query": "copies", "sense": None}
    papers.undo()
    assert [(one.item, one.grade, one.note) for one in papers.judgments] == [("p1", 1.0, "before")]


def test_a_session_that_takes_everything_back(papers: Collection) -> None:
    papers.judgments.add("copies", "p1", 1)
    with papers.judgments.session(like="p1", sense="topic") as session:
        session.judge("p2", 2)
        assert session.take_back() == "p2"
        assert session.take_back() is None
    with papers.judgments.session("copies") as session:
        session.judge("p1", 2)
        session.judge("p1", 3)
        assert [session.take_back(), session.take_back()] == ["p1", "p1"]
    assert papers.judgments.qrels() == {"copies": {"p1": 1.0}}
    assert papers.judgments.qrels(like=True) == {}
    count = len(papers.log())
    with papers.judgments.session("copies"):
        pass
    assert len(papers.log()) == count, "nothing was said, and nothing is in the log"
    with pytest.raises(UnknownItem):
        papers.judgments.session(like="p77")


def test_others_write_while_a_session_goes_on(papers: Collection) -> None:
    with papers.judgments.session("copies") as session, Collection.open(papers.path, wait=0.0) as other:
        session.judge("p1", 3)
        other.delete(["p3"])
        session.judge("p2", 2)
    assert [(row.command, row.state) for row in papers.log(3)] == [
        ("judge", "done"),
        ("delete", "done"),
        ("judge", "interrupted"),
    ]
    assert papers.judgments.qrels() == {"copies": {"p1": 3.0, "p2": 2.0}}


CHILD = """
import sys
from similia import Collection
with Collection.open(sys.argv[1]) as shelf, shelf.judgments.session("tea") as session:
    for number in range(int(sys.argv[2]), 10**9):
        session.judge(f"k{number % 200:04d}", number)
        print(number, flush=True)
"""


def test_a_session_that_is_killed_keeps_what_it_said(tmp_path: Path, rows: Rows) -> None:
    with Collection.open(tmp_path / "c", create=True) as shelf:
        shelf.add(rows(200), key="id", text="title", encoder="hashing:16")
        shelf.judgments.add("tea", "k0001", 0.5)
    last = -1
    for moment in (0, 3, 17):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / "c"), str(last + 1)], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert child.stdout is not None
        said = [int(child.stdout.readline()) for _ in range(moment + 1)]
        time.sleep(0.003 * moment)
        child.kill()
        said += [int(line) for line in child.stdout.read().split()]
        child.stdout.close()
        assert child.wait() == -signal.SIGKILL
        with Collection.open(tmp_path / "c") as shelf:
            found = shelf.judgments.qrels()["tea"]
            whole = {f"k{number % 200:04d}": float(number) for number in range(said[-1] + 1)}
            further = {**whole, f"k{(said[-1] + 1) % 200:04d}": float(said[-1] + 1)}
            assert found in ({"k0001": 0.5, **whole}, {"k0001": 0.5, **further})
            assert shelf.log(1)[0].state == "open"
            assert shelf.check(mend=False).ok
            last = max(int(grade) for grade in found.values())
    with Collection.open(tmp_path / "c") as shelf:
        kept = shelf.judgments.qrels()["tea"]
        shelf.undo()
        left = shelf.judgments.qrels()["tea"]
        assert len(left) < len(kept), "the whole session that was killed is taken back"
        assert shelf.check().ok
