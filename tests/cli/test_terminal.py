"""What a person at a terminal sees, run under a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COMMANDS = [
    ("search", "papers", "cats dream"),
    ("search", "papers", "cats", "--explain"),
    ("search", "papers", "cats", "--fields", "title,abstract,year"),
    ("compare", "papers", "p4", "p5"),
    ("label", "papers", "topics.txt"),
    ("duplicates", "papers", "--threshold", "0"),
    ("senses", "papers", "list"),
    ("info", "papers"),
    ("log", "papers"),
    ("check", "papers"),
]
Terminal = Callable[..., tuple[int, str]]


@pytest.fixture
def terminal(folder: Path, make_environment: Callable[..., dict[str, str]]) -> Terminal:
    """Run ``similia`` on a terminal of so many columns, type ``answer`` at its question: (exit code, what is shown)."""

    def go(*arguments: str, columns: int = 80, answer: str = "", **more: str) -> tuple[int, str]:
        environment = make_environment(**{"TERM": "xterm-256color", **more})
        del environment["COLUMNS"]
        outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        with subprocess.Popen(
            [sys.executable, "-m", "similia.cli", *arguments], cwd=folder, env=environment,
            stdin=inner, stdout=inner, stderr=inner, close_fds=True,
        ) as process:  # fmt: skip
            os.close(inner)
            shown, asked = b"", False
            deadline = time.monotonic() + 90
            while time.monotonic() < deadline:
                ready, _, _ = select.select([outer], [], [], 0.2)
                if ready:
                    try:
                        part = os.read(outer, 65_536)
                    except OSError:  # the other end is closed
                        break
                    if not part:
                        break
                    shown += part
                if answer and not asked and b"[y/N]" in shown:
                    asked = True
                    os.write(outer, answer.encode() + b"\n")
            code = process.wait(timeout=30)
        os.close(outer)
        return code, shown.decode("utf-8", "replace").replace("\r\n", "\n")

    return go


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_is_wider_than_the_terminal(
    inside: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    columns: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    code, shown, _ = inside(*command, "--format", "table")
    assert code == 0
    assert max(map(cell_len, shown.splitlines())) <= columns


def test_the_width_is_that_of_the_terminal(terminal: Terminal) -> None:
    _, narrow = terminal("search", "papers", "cats dream", "-k", "1", columns=44)
    assert max(map(cell_len, ESCAPE.sub("", narrow).splitlines())) == 44


def test_a_terminal_gets_a_table_in_colour_and_no_json(terminal: Terminal) -> None:
    code, shown = terminal("search", "papers", "cats dream", "-k", "2")
    assert code == 0
    assert ESCAPE.search(shown)
    plain = ESCAPE.sub("", shown)
    assert plain.splitlines()[0].split()[:2] == ["1", "p4"]
    assert "What cats dream of" in plain
    assert "1-2 of 6 · hybrid, sense topic" in plain
    assert "{" not in plain


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_refused(terminal: Terminal, variable: dict[str, str]) -> None:
    for command in (("search", "papers", "cats"), ("check", "papers")):
        code, shown = terminal(*command, **variable)
        assert code == 0
        assert "\x1b" not in shown


@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl"])
def test_item_text_cannot_speak_to_the_terminal(terminal: Terminal, form: str) -> None:
    _, shown = terminal("search", "papers", "cats dream", "-k", "1", "--format", form, NO_COLOR="1")
    assert "\x1b" not in shown
    assert form.startswith("json") or "\u202e" not in shown
    assert "漢字と猫" in shown


def test_tables_are_as_safe(inside: Callable[..., tuple[int, str, str]]) -> None:
    for command in (*COMMANDS, ("search", "papers", "--like", "\x1b[2Jp1"), ("add", "new", "\x1b[2J.csv")):
        _, out, err = inside(*command, *(["--format", "table"] if command in COMMANDS else []))
        assert not {"\x1b", "\u202e"} & set(out + err)


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, "6 items"), ("", 1, "6 items"), ("y", 0, "5 items")])
def test_deletion_asks_first(terminal: Terminal, answer: str, code: int, left: str) -> None:
    ended, shown = terminal("delete", "papers", "p3", answer=answer or " ", NO_COLOR="1")
    assert "Delete 1 of 6 items from papers? [y/N]" in shown
    assert ended == code
    assert f"papers: {left}" in terminal("info", "papers", NO_COLOR="1")[1]


def test_removal_asks_first(terminal: Terminal, folder: Path) -> None:
    code, shown = terminal("remove", "papers", answer="no")
    assert (code, (folder / "papers").exists()) == (1, True)
    assert "Nothing was removed." in shown
    code, shown = terminal("remove", "papers", answer="yes")
    assert (code, (folder / "papers").exists()) == (0, False)
