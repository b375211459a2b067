"""``similia evaluate``: from judgments to a table, data, a report and runs; and wrong use named."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from similia.evaluate import datasets

Inside = Callable[..., tuple[int, str, str]]
TOPICS = "q1\tcats\nq2\tcopies of images\nq3\trankings of documents\n"
QRELS = "q1 0 p4 2\nq1 0 p5 1\nq1 0 p3 0\nq2 0 p1 1\nq2 0 p2 1\nq3 0 p3 1\n"


@pytest.fixture
def judged(folder: Path) -> Path:
    (folder / "q.tsv").write_text(TOPICS)
    (folder / "qrels.txt").write_text(QRELS)
    return folder


FILES = ("--queries", "q.tsv", "--judgments", "qrels.txt")


def test_numbers_as_data_and_as_a_table(inside: Inside, judged: Path) -> None:
    code, out, err = inside("evaluate", "papers", *FILES, "--metrics", "mrr, ndcg@3", "-k", "5")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["metrics"] == ["mrr", "ndcg@3"]
    assert list(told["settings"]) == ["hybrid", "dense", "text"]
    assert told["settings"]["text"]["values"]["mrr"]["value"] == 1
    assert told["queries"] == {"counted": 3, "measured": 3, "planned": 3}
    code, out, err = inside("evaluate", "papers", *FILES, "--format", "csv", "--setting", "text")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["query"], row["setting"], row["first_relevant"]) for row in rows] == [
        ("q1", "text", "1"), ("q2", "text", "1"), ("q3", "text", "1")
    ]  # fmt: skip
    lines = inside("evaluate", "papers", *FILES, "--format", "jsonl", "--setting", "text")[1].splitlines()
    assert [json.loads(line)["mrr"] for line in lines] == [1, 1, 1]
    code, out, _ = inside("evaluate", "papers", *FILES, "--format", "table")
    assert code == 0
    assert "papers: 3 queries, 6 judgments" in out
    assert max(map(len, out.splitlines())) <= 80


def test_settings_are_compared_with_the_first(inside: Inside, judged: Path) -> None:
    settings = ("--setting", "words=mode:text", "--setting", "near=mode:dense,recall:1", "--setting", "hybrid")
    told = json.loads(inside("evaluate", "papers", *FILES, *settings)[1])
    assert {name: one["how"] for name, one in told["settings"].items()} == {
        "words": "mode text, sense topic",
        "near": "mode dense, sense topic, recall 1",
        "hybrid": "mode hybrid, sense topic",
    }
    assert told["settings"]["words"]["differences"] == {}
    assert "p" in told["settings"]["near"]["differences"]["mrr"]


def test_a_report_and_runs_are_written_and_compared_again(inside: Inside, judged: Path) -> None:
    written = ("--report", "report.html", "--save-run", "out.run")
    code, out, err = inside("evaluate", "papers", *FILES, *written)
    assert code == 0
    assert err.splitlines() == [
        "Wrote report.html.", "Wrote out.hybrid.run.", "Wrote out.dense.run.", "Wrote out.text.run."
    ]  # fmt: skip
    page = (judged / "report.html").read_text(encoding="utf-8")
    assert "papers: evaluation" in page
    told = json.loads(out)
    again = ("--run", "words=out.text.run", "--run", "out.dense.run", "--judgments", "qrels.txt")
    alone = json.loads(inside("evaluate", *again)[1])
    assert list(alone["settings"]) == ["words", "out.dense"]
    assert alone["settings"]["words"]["values"] == told["settings"]["text"]["values"]
    assert alone["losses"] == []
    beside = json.loads(inside("evaluate", "papers", *FILES, "--setting", "dense", "--run", "old=out.dense.run")[1])
    assert beside["settings"]["old"]["differences"]["mrr"] == {
        "value": 0, "low": 0, "high": 0, "confidence": 0.95, "p": 1
    }  # fmt: skip
    code, _, err = inside("evaluate", "papers", *FILES, "--setting", "dense", "--save-run", "one.csv")
    assert err == "Wrote one.csv.\n"
    assert len((judged / "one.csv").read_text().splitlines()) == 1 + 3 * 6


@pytest.mark.parametrize("name", ["plot.svg", "plot.png"])
def test_a_plot_is_drawn(inside: Inside, judged: Path, name: str) -> None:
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    code, _, err = inside("evaluate", "papers", *FILES, "--plot", name)
    assert (code, err) == (0, f"Wrote {name}.\n")
    drawn = (judged / name).read_bytes()
    assert drawn.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")


def test_own_judgments_are_the_default(inside: Inside, folder: Path) -> None:
    code, out, err = inside("evaluate", "papers")
    assert (code, out) == (2, "")
    assert "holds no judgments in sense 'topic': make some with similia judge papers QUERY" in err
    assert inside("judge", "papers", "cats", "--item", "p4", "--item", "p5", "--grade", "2")[0] == 0
    told = json.loads(inside("evaluate", "papers", "--metrics", "mrr")[1])
    assert told["per_query"][0]["query"] == "cats"
    assert any("one query: no interval" in note for note in told["notes"])
    code, _, err = inside("evaluate", "papers", "--save-run", "out.run")
    assert code == 2
    assert "call queries by their texts, which a TREC run cannot hold; write .csv or .jsonl" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a COLLECTION, or give --dataset NAME, or --run FILE"),
        (("papers", "--dataset", "cranfield"), "leave papers out, or give --keep FOLDER"),
        (("--dataset", "cranfeild"), "did you mean 'cranfield'"),
        (("--dataset", "ag_news"), "not a data set with queries and judgments"),
        (("--dataset", "cranfield", "--queries", "q.tsv"), "leave --queries and --judgments out"),
        (("papers", "--keep", "there"), "give --dataset NAME"),
        (("papers", "--encoder", "hashing"), "give --dataset NAME"),
        (("--run", "out.run"), "needs judgments: give --judgments FILE"),
        (("--run", "absent.run", "--judgments", "qrels.txt"), "absent.run: there is no such file"),
        (("--run", "a.run", "--run", "a.run", "--judgments", "qrels.txt"), "two runs are called 'a'"),
        (("--run", "a.run", "--judgments", "qrels.txt", "--setting", "text"), "name the COLLECTION"),
        (("--run", "a.run", "--judgments", "qrels.txt", "--save-run", "b.run"), "without one there is nothing"),
        (("papers", *FILES, "--setting", "nearest"), "expected NAME=OPTIONS, as in near=mode:dense, or one of hybrid"),
        (("papers", *FILES, "--setting", "a=mode:near"), "mode 'near' is not one of hybrid, dense, text"),
        (("papers", *FILES, "--setting", "text", "--setting", "text"), "--setting text is given twice"),
        (("papers", *FILES, "--metrics", "ndgc@10"), "'ndgc@10' is not known; there are"),
        (("papers", *FILES, "--metrics", ","), "give a list of names"),
        (("papers", *FILES, "--sense", "topik"), "did you mean 'topic'"),
        (("papers", *FILES, "--report", "report.pdf"), "a report ends in .html"),
        (("papers", *FILES, "--report", "absent/report.html"), "there is no folder absent"),
        (("papers", *FILES, "--plot", "plot.gif"), "plot.gif ends in .gif; a plot ends in one of .svg, .png, .pdf"),
        (("papers", *FILES, "--save-run", "out.txt"), "the suffix does not say what to write"),
        (("papers", *FILES, "--save-run", "papers"), "it is a folder"),
        (("papers", "--judgments", "qrels.txt"), "names its queries by id: give their texts (--queries FILE"),
        (("papers", "--queries", "q.tsv", "--judgments", "odd.txt"), "odd.txt, line 2: has 3 columns"),
        (("papers", "--queries", "q.tsv", "--judgments", "far.txt"), "none of the 1 judged items is in collection"),
        (("papers", "--queries", "q.tsv", "--judgments", "other.txt"), "called q1, q2, q3, and the judged ones 7"),
        (("papers", "--queries", "q.tsv", "--judgments", "zero.txt"), "no query has a relevant item"),
    ],
    ids=lambda value: " ".join(value)[-40:] if isinstance(value, tuple) else "",
)
def test_wrong_use_is_named(inside: Inside, judged: Path, arguments: tuple[str, ...], message: str) -> None:
    (judged / "odd.txt").write_text("q1 0 p4 2\nq1 p5 1\n")
    (judged / "far.txt").write_text("q1 0 x9 2\n")
    (judged / "other.txt").write_text("7 0 p4 2\n")
    (judged / "zero.txt").write_text("q1 0 p4 0\n")
    code, out, err = inside("evaluate", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_what_is_odd_is_said_and_the_rest_is_measured(inside: Inside, judged: Path) -> None:
    (judged / "more.txt").write_text(QRELS + "q1 0 gone 1\nq9 0 p1 1\n")
    how = ("--queries", "q.tsv", "--judgments", "more.txt", "--setting", "text", "--metrics", "recall@10")
    told = json.loads(inside("evaluate", "papers", *how)[1])
    assert told["coverage"]["unknown"] == {"count": 1, "first": ["gone"]}
    assert told["coverage"]["without_text"] == {"count": 1, "first": ["q9"]}
    assert told["settings"]["text"]["values"]["recall@10"]["value"] == pytest.approx((2 / 3 + 1 + 1) / 3)
    dropped = json.loads(inside("evaluate", "papers", *how, "--drop-unknown")[1])
    assert dropped["settings"]["text"]["values"]["recall@10"]["value"] == 1
    shown = inside("evaluate", "papers", *how, "--format", "table")[1]
    assert "1 judged item (gone) is not in the collection" in " ".join(shown.split())
    higher = json.loads(inside("evaluate", "papers", *how, "--relevant-from", "2")[1])
    assert higher["queries"]["counted"] == 1


def test_a_file_that_cannot_be_written_costs_only_itself(inside: Inside, judged: Path) -> None:
    (judged / "q.tsv").write_text("q 1\tcats\n")
    (judged / "qrels.csv").write_text("query_id,item,grade\nq 1,p4,1\n")
    how = ("--queries", "q.tsv", "--judgments", "qrels.csv", "--report", "report.html")
    code, out, err = inside("evaluate", "papers", *how, "--save-run", "out.run", "--setting", "text")
    assert code == 2
    assert json.loads(out)["queries"]["counted"] == 1
    assert (judged / "report.html").is_file()
    assert "'q 1' cannot stand in a TREC file" in err


def test_a_data_set_by_name(inside: Inside, folder: Path) -> None:
    if not datasets.available("adi"):
        pytest.skip("the data set adi is not on this machine")
    how = ("evaluate", "--dataset", "adi", "--limit", "6", "--metrics", "mrr", "--encoder", "hashing")
    code, out, _ = inside(*how)
    told = json.loads(out)
    assert (code, told["name"], told["queries"]["counted"]) == (0, "adi", 6)
    code, out, _ = inside(*how, "--keep", "kept")
    assert json.loads(out)["settings"]["text"]["values"] == told["settings"]["text"]["values"]
    assert json.loads(inside("info", "kept")[1])["items"] == 82
    assert inside(*how, "--keep", "kept")[0] == 0
    code, _, err = inside(*how, "--keep", "papers")
    assert code == 2
    assert "holds other items than data set 'adi'; take another folder" in err


@pytest.mark.slow
def test_ctrl_c_shows_what_was_finished(
    run: Callable[..., subprocess.CompletedProcess[str]], judged: Path, make_environment: Callable[..., dict[str, str]]
) -> None:
    """A real Ctrl-C at a process of its own, as soon as its bar shows that queries are finished."""
    count = 40_000
    (judged / "many.tsv").write_text("".join(f"q{at}\tcats and dogs {at}\n" for at in range(count)))
    (judged / "many.txt").write_text("".join(f"q{at} 0 p5 1\n" for at in range(count)))
    arguments = ("evaluate", "papers", "--queries", "many.tsv", "--judgments", "many.txt", "--setting", "text",
                 "--metrics", "mrr", "--format", "json", "--report", "report.html")  # fmt: skip
    master, slave = pty.openpty()
    environment = make_environment(TERM="xterm")
    with (judged / "out.json").open("w") as out, subprocess.Popen(
        [sys.executable, "-m", "similia.cli", *arguments], cwd=judged, env=environment, stdout=out, stderr=slave,
        stdin=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        os.close(slave)
        said, started = "", time.monotonic()
        while not re.search(r"[1-9]\d*/40000", said) and time.monotonic() - started < 60:
            said += os.read(master, 4096).decode(errors="replace")
        process.send_signal(signal.SIGINT)
        try:
            while part := os.read(master, 4096):
                said += part.decode(errors="replace")
        except OSError:  # the other end is closed
            pass
        process.wait(timeout=60)
    os.close(master)
    assert process.returncode == 130, said
    told = json.loads((judged / "out.json").read_text())
    assert told["partial"]
    assert 0 < told["queries"]["measured"] < count
    assert told["queries"]["planned"] == count
    assert "partial: ended after" in said
    assert "partial: ended after" in (judged / "report.html").read_text(encoding="utf-8")
    shutil.rmtree(judged / "papers")
