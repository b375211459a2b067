from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from similia.collection import Collection

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_items_come_from_standard_input_and_go_to_standard_output(run: Run, folder: Path) -> None:
    text = (folder / "papers.jsonl").read_text(encoding="utf-8")
    done = run("add", "piped", "-", "--format", "jsonl", "--key", "id", stdin=text)
    assert (done.returncode, done.stdout) == (0, "")
    assert "piped has 6 items" in done.stderr
    out = run("export", "piped", "-")
    assert out.stderr == ""
    assert [json.loads(line)["title"] for line in out.stdout.splitlines()] == [
        json.loads(line)["title"] for line in text.splitlines()
    ]


def test_queries_classes_and_keys_come_from_standard_input(run: Run) -> None:
    found = run("search", "papers", "-", stdin="cats and dogs\n")
    assert json.loads(found.stdout)["results"][0]["key"] == "p5"
    labels = run("label", "papers", "-", stdin="pets: cats, dogs\nother: rankings\n")
    assert json.loads(labels.stdout)["classes"] == ["pets", "other"]
    gone = run("delete", "papers", "-", "--yes", stdin="p1\np2\n\n")
    assert gone.returncode == 0, gone.stderr
    assert "Deleted 2 items; 4 left" in gone.stderr


def test_messages_do_not_mix_with_data(run: Run) -> None:
    for command in (("undo", "papers"), ("backup", "papers", "copy"), ("export", "papers", "out.csv")):
        done = run(*command)
        assert done.stdout == ""
        assert done.stderr.strip()


def test_a_reader_that_has_seen_enough_is_no_error(
    folder: Path, make_environment: Callable[..., dict[str, str]]
) -> None:
    with Collection.open(folder / "long", create=True) as long:
        long.add([{"id": str(place), "title": f"item {place} " * 30} for place in range(1_500)], key="id")
    for command in (["export", "long", "-"], ["search", "long", "item", "-k", "1500", "--format", "jsonl"]):
        with subprocess.Popen(
            [sys.executable, "-m", "similia.cli", *command], cwd=folder, env=make_environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        ) as writer:  # fmt: skip
            assert writer.stdout is not None
            assert writer.stderr is not None
            assert json.loads(writer.stdout.readline())
            writer.stdout.close()
            assert writer.stderr.read() == ""
        assert writer.returncode == 141


def test_an_interruption_says_that_nothing_is_lost(
    folder: Path, make_environment: Callable[..., dict[str, str]]
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "similia.cli", "add", "new", "-", "--format", "jsonl"], cwd=folder,
        env=make_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as waiting:  # fmt: skip
        assert waiting.stdin is not None
        waiting.stdin.write('{"id": "a", "title": "never finished"}\n')
        waiting.stdin.flush()
        deadline = time.monotonic() + 60
        while not (folder / "new" / "collection.db").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)  # it reads standard input now, which does not end
        os.kill(waiting.pid, signal.SIGINT)
        out, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, out) == (130, "")
    assert err.strip() == "Interrupted: what is finished is kept; run the same command again to go on."


def test_a_terminal_without_unicode_gets_escapes_and_no_error(run: Run) -> None:
    done = run("search", "papers", "cats dream", "--format", "table", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "\\u6f22" in done.stdout
    json.loads(run("search", "papers", "cats", "--format", "json", PYTHONIOENCODING="ascii").stdout)
