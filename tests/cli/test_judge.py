"""``similia judge``: from options, from files, and key by key on a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from similia import Collection

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
Inside = Callable[..., tuple[int, str, str]]
Typing = Callable[..., tuple[int, str]]


def grades(folder: Path, **asked: object) -> dict[str, dict[str, float]]:
    with Collection.open(folder / "papers") as papers:
        return papers.judgments.qrels(**asked)  # type: ignore[arg-type]


def test_one_query_at_a_time(inside: Inside, folder: Path) -> None:
    assert inside("judge", "papers", "cats", "--item", "p4", "--item", "p5", "--grade", "2") == (
        0, "", "judgments: 2 added\n",
    )  # fmt: skip
    assert inside("judge", "papers", "cats", "--item", "p5", "--grade", "1.5", "--note", "dogs too")[2] == (
        "judgments: 0 added, 1 replaced\n"
    )
    assert inside("judge", "papers", "--like", "p1", "--item", "p2", "--grade", "3", "--sense", "topic")[0] == 0
    assert grades(folder) == {"cats": {"p4": 2.0, "p5": 1.5}}
    assert grades(folder, like=True, sense="topic") == {"p1": {"p2": 3.0}}
    assert inside("undo", "papers")[0] == 0
    assert grades(folder, like=True) == {}


def test_list(inside: Inside) -> None:
    assert json.loads(inside("judge", "papers", "--list")[1]) == []
    inside("judge", "papers", "cats", "--item", "p4", "--item", "p3", "--grade", "2", "--note", "=cmd\x1b[31m")
    inside("judge", "papers", "--like", "p1", "--item", "p2", "--grade", "1")
    rows = json.loads(inside("judge", "papers", "--list")[1])
    assert [(row["query"], row["like"], row["item"], row["grade"]) for row in rows] == [
        ("cats", None, "p4", 2.0), ("cats", None, "p3", 2.0), (None, "p1", "p2", 1.0),
    ]  # fmt: skip
    assert len(json.loads(inside("judge", "papers", "cats", "--list")[1])) == 2
    assert len(json.loads(inside("judge", "papers", "--like", "p1", "--list")[1])) == 1
    inside("delete", "papers", "p3", "--yes")
    code, shown, _ = inside("judge", "papers", "--list", "--format", "table")
    assert code == 0
    assert "\x1b" not in shown
    assert "3 judgments of 2 queries · 1 do not count until" in shown
    assert inside("judge", "papers", "--list", "--format", "csv")[1].splitlines()[0] == (
        "query,like,sense,item,grade,source,time,note"
    )


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_nothing_is_wider_than_the_terminal(inside: Inside, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    inside("judge", "papers", "cats " * 40, "--item", "p4", "--grade", "2", "--note", "long " * 40)
    code, shown, _ = inside("judge", "papers", "--list", "--format", "table")
    assert code == 0
    assert max(map(cell_len, shown.splitlines())) <= columns


@pytest.mark.parametrize("name", ["j.csv", "j.tsv", "j.jsonl", "j.qrels", "j.csv.gz"])
def test_out_to_a_file_and_in_again(inside: Inside, folder: Path, name: str) -> None:
    inside("judge", "papers", "two cats", "--item", "p4", "--item", "p5", "--grade", "2")
    code, out, err = inside("judge", "papers", "--export", name)
    assert (code, out) == (0, "")
    assert err.startswith(f"Wrote 2 judgments to {name}.\n")
    assert ("The texts of the queries are in j.queries.tsv." in err) == (name == "j.qrels")
    assert inside("judge", "papers", "two cats", "--remove")[2] == (
        "Removed 2 judgments; 0 left. Bring back with: similia undo papers\n"
    )
    assert inside("judge", "papers", "--file", name) == (0, "", "judgments: 2 added\n")
    assert grades(folder) == {"two cats": {"p4": 2.0, "p5": 2.0}}


def test_trec_says_what_it_cannot_hold(inside: Inside) -> None:
    inside("judge", "papers", "--like", "p4", "--item", "p5", "--grade", "2")
    assert "1 judgment left out: TREC has one grade for a text" in inside("judge", "papers", "--export", "j.qrels")[2]


def test_a_file_with_ids_and_one_with_the_texts(inside: Inside, folder: Path) -> None:
    (folder / "a.qrels").write_text("1 0 p4 2\n1 0 p99 1\n")
    (folder / "topics.tsv").write_text("1\tcats\n")
    code, _, err = inside("judge", "papers", "--file", "a.qrels")
    assert (code, "give the texts of the queries (--queries FILE)" in err) == (2, True)
    code, _, err = inside("judge", "papers", "--file", "a.qrels", "--queries", "topics.tsv")
    assert code == 2
    assert "1 of 2 judgments are about items that collection 'papers' does not have: 'p99'" in err
    assert grades(folder) == {}
    for unknown, said in (("skip", "1 added, 1 skipped"), ("keep", "1 added, 1 replaced")):
        code, _, err = inside("judge", "papers", "--file", "a.qrels", "--queries", "topics.tsv", "--unknown", unknown)
        assert (code, said in err) == (0, True)
        assert "not in the collection: p99" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "there is nothing to judge for: give a QUERY"),
        (["cats"], "there is no terminal to read grades from; give --item KEY --grade NUMBER, or --file FILE"),
        (["cats", "--item", "p4"], "--item needs --grade NUMBER"),
        (["cats", "--grade", "1"], "--grade is for the items that are named"),
        (["cats", "--item", "p4", "--grade", "-1"], "the grade is -1.0; it must be a number of at least 0"),
        (["cats", "--item", "p4", "--grade", "nan"], "the grade is nan"),
        (["cats", "--item", "p4", "--grade", "good"], "similia judge: --grade: "),
        (["cats", "--like", "p1", "--item", "p4", "--grade", "1"], "QUERY and --like both say what is asked"),
        (["--item", "p4", "--grade", "1"], "there is nothing to judge for"),
        (["--list", "--remove"], "--list and --remove cannot be done at once"),
        (["cats", "--file", "a.csv"], "--file is about all queries"),
        (["--remove"], "say which judgments to remove"),
        (["--file", "none.csv"], "none.csv: there is no such file"),
        (["--export", "a.xml"], "the suffix does not say what to write"),
        (["cats", "--item", "p4", "--grade", "1", "--sense", "topik"], "did you mean 'topic'"),
    ],
)
def test_wrong_use_is_one_sentence(inside: Inside, folder: Path, arguments: list[str], said: str) -> None:
    code, out, err = inside("judge", "papers", *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert grades(folder) == {}


@pytest.fixture
def typing(folder: Path, make_environment: Callable[..., dict[str, str]]) -> Typing:
    """Run ``similia`` on a terminal of its own and press a key at each prompt: (exit code, what is shown)."""

    def go(*arguments: str, keys: list[str], end: int | None = None) -> tuple[int, str]:
        environment = make_environment(TERM="xterm-256color", NO_COLOR="1")
        del environment["COLUMNS"]
        outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        with subprocess.Popen(
            [sys.executable, "-m", "similia.cli", *arguments], cwd=folder, env=environment,
            stdin=inner, stdout=inner, stderr=inner, close_fds=True, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
        ) as process:  # fmt: skip
            os.close(inner)
            shown, pressed, deadline = b"", 0, time.monotonic() + 90
            while time.monotonic() < deadline:
                if select.select([outer], [], [], 0.2)[0]:
                    try:
                        part = os.read(outer, 65_536)
                    except OSError:  # the other end is closed
                        break
                    if not part:
                        break
                    shown += part
                if shown.count(b"q quit") > pressed and shown.rstrip(b" ").endswith(b":"):
                    if pressed < len(keys):
                        time.sleep(0.05)  # a person answers after the prompt, when the terminal waits for a key
                        os.write(outer, keys[pressed].encode())
                        pressed += 1
                    elif end is not None:
                        process.send_signal(end)
            code = process.wait(timeout=30)
        os.close(outer)
        return code, ESCAPE.sub("", shown.decode("utf-8", "replace").replace("\r\n", "\n"))

    return go


def test_key_by_key(typing: Typing, inside: Inside, folder: Path) -> None:
    inside("judge", "papers", "cats", "--item", "p4", "--grade", "0")
    # Cats are p5 and p4, in this order: p5 gets 3, that is taken back, p5 gets 2, p4 is left, and so on.
    code, shown = typing("judge", "papers", "cats", "-k", "4", keys=["3", "u", "2", "x", "s", "1", "q"])
    assert code == 0, shown
    found = grades(folder)["cats"]
    assert found.pop("p5") == 2.0
    assert found.pop("p4") == 0.0
    assert list(found.values()) == [1.0]
    assert "1 of 4  p5" in shown
    assert "Cats and dogs" in shown
    assert "0-3 grade, s skip, u undo, q quit [now 0]: " in shown
    assert "'x' means nothing here." in shown
    assert "Judged 2 items. Take back with: similia undo papers" in shown
    assert inside("undo", "papers")[0] == 0
    assert grades(folder) == {"cats": {"p4": 0.0}}


def test_all_of_them_and_nothing_to_undo(typing: Typing, folder: Path) -> None:
    code, shown = typing("judge", "papers", "--like", "p5", "-k", "2", keys=["u", "\x1b[A", "é", "0", "\r"])
    assert code == 0, shown
    assert "There is nothing to undo." in shown
    assert list(grades(folder, like=True)["p5"].values()) == [0.0]
    assert "Judged 1 item." in shown


def test_item_text_cannot_speak_to_the_terminal(typing: Typing) -> None:
    code, shown = typing("judge", "papers", "what cats dream of", "-k", "1", keys=["q"])
    assert code == 0
    assert not {"\x1b", "\u202e"} & set(shown)
    assert "漢字と猫" in shown
    assert "Nothing was judged." in shown


def test_ctrl_c_keeps_what_was_said(typing: Typing, folder: Path) -> None:
    code, shown = typing("judge", "papers", "cats", keys=["3", "\x03"])
    assert code == 130
    assert "what is finished is kept" in shown
    assert grades(folder) == {"cats": {"p5": 3.0}}
    with Collection.open(folder / "papers") as papers:
        assert papers.log(1)[0].state == "done"


def test_killed_at_a_prompt(typing: Typing, folder: Path) -> None:
    code, _ = typing("judge", "papers", "cats", keys=["3"], end=signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert grades(folder) == {"cats": {"p5": 3.0}}
    with Collection.open(folder / "papers") as papers:
        assert papers.check().ok
        papers.undo()
        assert len(papers.judgments) == 0


def test_nothing_to_go_through(typing: Typing) -> None:
    code, shown = typing("judge", "papers", "cats", "--where", "year > 3000", keys=[])
    assert (code, shown.strip()) == (0, "Nothing found.")
