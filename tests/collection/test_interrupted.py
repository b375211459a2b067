"""Killed in the middle, an add and a new sense go on where they stopped, and do nothing twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from similia import Collection

Rows = Callable[..., list[dict[str, Any]]]

CHILD = """
import os, sys, time
from pathlib import Path
import similia.collection.senses
from similia import Collection
from similia.encode import load

similia.collection.senses.BATCH = 50

class Slow:
    # The hashing encoder, which writes down every text that it is asked for.
    name, dimension, fingerprint = "slow", 16, "1" * 64
    base, log = load("hashing:16"), Path(sys.argv[2])
    def encode(self, items, *, side="item"):
        time.sleep(0.02)
        with self.log.open("a") as log:
            log.writelines(text.split()[-1] + "\\n" for text in items)
        if self.log.read_text().count("\\n") >= int(os.environ.get("WAIT_AT", 10**9)):
            time.sleep(600)  # to be killed, here at the latest
        return self.base.encode(items, side=side)

with Collection.open(sys.argv[1], create=True) as shelf:
    if sys.argv[3] == "add":
        report = shelf.add(sys.argv[4], key="id", text="body", encoder=Slow(), batch_size=10, on_duplicate=sys.argv[5])
        print(report.added, report.replaced, report.resumed)
    else:
        sense = shelf.senses.add("slow", text="body", encoder=Slow())
        print(sense.count, sense.state)
"""


def run(folder: Path, log: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), str(log), *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def kill(folder: Path, log: Path, texts: int, *command: str) -> None:
    """Run a command and kill it at any moment after so many texts were encoded, and before many more are."""
    before = encoded(log)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(log), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "WAIT_AT": str(before + texts + 20)},
    )
    while child.poll() is None and encoded(log) - before < texts:
        time.sleep(0.002)
    child.kill()
    _, said = child.communicate()
    assert child.returncode == -signal.SIGKILL, said


def encoded(log: Path) -> int:
    return log.read_text().count("\n") if log.exists() else 0


def texts_of(log: Path) -> list[str]:
    return log.read_text().split()


def answers(shelf: Collection, sense: str) -> list[Any]:
    return [
        shelf.similar("k0001", sense=sense, k=500).to_dict()["results"],
        shelf.search("unique5 tea", mode="text", k=500).keys,
        shelf.facets("area"),
    ]


@pytest.mark.parametrize("moments", [(25,), (1, 60, 30)], ids=["once", "three times"])
def test_add_goes_on(tmp_path: Path, rows: Rows, moments: tuple[int, ...]) -> None:
    source, log = tmp_path / "rows.jsonl", tmp_path / "log"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows(300)))
    for moment in moments:
        kill(tmp_path / "killed", log, moment, "add", str(source), "error")
        with Collection.open(tmp_path / "killed", create=True) as shelf:
            stored = len(shelf)
            assert stored % 10 == 0
            assert stored <= encoded(log)
            assert shelf.check(mend=False).ok
            if stored:
                assert len(shelf.similar("k0001", k=500)) == stored - 1
                assert shelf.log(1)[0].state == "open"
    said = run(tmp_path / "killed", log, "add", str(source), "error")
    assert said == "300 0 True"
    wasted = len(texts_of(log)) - 300
    assert wasted <= 10 * len(moments), "finished batches were encoded again"
    assert set(texts_of(log)) == {f"unique{place}" for place in range(300)}
    assert run(tmp_path / "whole", tmp_path / "other", "add", str(source), "error") == "300 0 False"
    with Collection.open(tmp_path / "killed") as one, Collection.open(tmp_path / "whole") as two:
        assert answers(one, "topic") == answers(two, "topic")
        assert [row.state for row in one.log()] == ["done"]
        assert one.check().ok


def test_a_killed_add_can_be_taken_back(tmp_path: Path, rows: Rows) -> None:
    source, log = tmp_path / "rows.jsonl", tmp_path / "log"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows(300)))
    kill(tmp_path / "c", log, 50, "add", str(source), "error")
    with Collection.open(tmp_path / "c") as shelf:
        assert len(shelf) >= 40
        shelf.undo()
        assert len(shelf) == 0
        assert not shelf.senses
        assert len(shelf.search("tea")) == 0
    assert run(tmp_path / "c", log, "add", str(source), "error") == "300 0 False"


def test_replacing_goes_on(tmp_path: Path, rows: Rows) -> None:
    source, log = tmp_path / "rows.jsonl", tmp_path / "log"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows(200)))
    run(tmp_path / "c", log, "add", str(source), "error")
    changed = rows(250, seed=7)
    source.write_text("".join(json.dumps(row) + "\n" for row in changed))
    log.unlink()
    kill(tmp_path / "c", log, 120, "add", str(source), "replace")
    with Collection.open(tmp_path / "c") as shelf:
        done = sum(shelf[row["id"]]["body"] == row["body"] for row in changed if row["id"] in shelf)
        assert 100 <= done <= 150
    assert run(tmp_path / "c", log, "add", str(source), "replace") == "50 200 True"
    assert len(texts_of(log)) <= 260
    with Collection.open(tmp_path / "c") as shelf:
        assert [row["body"] for row in shelf.get([row["id"] for row in changed])] == [row["body"] for row in changed]
        assert shelf.check().ok


def test_a_new_sense_goes_on(tmp_path: Path, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    with Collection.open(tmp_path / "c", create=True) as shelf:
        shelf.add(rows(500), key="id", text="title", encoder="hashing:16")
        before = shelf.similar("k0001", k=50).keys
        kill(tmp_path / "c", log, 200, "senses", "add")
        assert shelf.senses["slow"].state == "building"
        assert 0 < shelf.senses["slow"].count < 500
        with pytest.raises(Exception, match="not complete"):
            shelf.search(like="k0001", sense="slow")
        assert shelf.similar("k0001", k=50).keys == before
        assert "slow" not in shelf.compare("k0001", "k0002").senses
    assert run(tmp_path / "c", log, "senses", "add") == "500 ready"
    assert len(texts_of(log)) <= 550
    with Collection.open(tmp_path / "c") as shelf:
        shelf.senses.add("whole", text="body", encoder="hashing:16")
        assert answers(shelf, "slow") == answers(shelf, "whole")
        assert shelf.check().ok


def test_items_added_while_a_sense_is_half_built_get_their_vectors(tmp_path: Path, rows: Rows) -> None:
    log = tmp_path / "log"
    with Collection.open(tmp_path / "c", create=True) as shelf:
        shelf.add(rows(500), key="id", text="title", encoder="hashing:16")
    kill(tmp_path / "c", log, 200, "senses", "add")
    script = CHILD.replace(
        'if sys.argv[3] == "add":', 'shelf.senses.bind("slow", Slow())\n    if sys.argv[3] == "add":'
    ).replace('text="body", encoder=Slow(), batch_size=10, ', "")
    source = tmp_path / "more.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows(5, start=500)))
    command = [sys.executable, "-c", script, str(tmp_path / "c"), str(log), "add", str(source), "error"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "5 0 False"
    assert run(tmp_path / "c", log, "senses", "add") == "505 ready"
    with Collection.open(tmp_path / "c") as shelf:
        assert len(shelf.similar("k0504", sense="slow", k=5)) == 5
        assert shelf.check().ok


def test_another_command_in_between_ends_the_interrupted_one(tmp_path: Path, rows: Rows) -> None:
    source, log = tmp_path / "rows.jsonl", tmp_path / "log"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows(300)))
    kill(tmp_path / "c", log, 100, "add", str(source), "error")
    with Collection.open(tmp_path / "c") as shelf:
        shelf.delete(["k0000"])
        assert [row.state for row in shelf.log()] == ["done", "interrupted"]
        stored = len(shelf)
    said = run(tmp_path / "c", log, "add", str(source), "skip")
    assert said == f"{300 - stored} 0 False"
