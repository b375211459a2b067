"""``similia index``: built, looked at, tuned, measured and dropped from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from similia.index import kernels

Inside = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.skipif(not kernels.usable(), reason="Numba is not there or switched off")


def test_from_nothing_to_dropped(inside: Inside, folder: Path) -> None:
    code, out, err = inside("index", "papers", "build")
    assert (code, out) == (2, "")
    assert "one pays from 50,000 on (force builds it all the same)" in err
    code, out, _ = inside("index", "papers", "build", "--force", "--recall", "0.9")
    assert code == 0
    built = json.loads(out)
    assert (built["built"], built["current"], built["items"], built["recall"]) == (True, True, 6, 0.9)
    (shown,) = json.loads(inside("index", "papers")[1])
    assert shown == built
    assert json.loads(inside("index", "papers", "info", "--sense", "topic")[1]) == [built]
    table = inside("index", "papers", "info", "--format", "table")[1]
    assert "6 items" in table
    assert "0.9 wanted" in table
    (folder / "asked.txt").write_text("cats\ncopies of images\nrankings\n\nvectors\n", "utf-8")
    tuned = json.loads(inside("index", "papers", "tune", "--queries", "asked.txt", "--recall", "0.99")[1])
    assert (tuned["asked"], tuned["recall"]) == ("4 given queries", 0.99)
    assert json.loads(inside("search", "papers", "cats", "--mode", "dense", "-k", "1")[1])["results"][0]["key"] in (
        "p4",
        "p5",
    )
    assert inside("index", "papers", "drop")[::2] == (0, "Dropped the index of topic.\n")
    assert inside("index", "papers", "drop")[::2] == (0, "The sense topic has no index.\n")
    assert not json.loads(inside("index", "papers")[1])[0]["built"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("tune",), "has no index to tune"),
        (("build", "--force", "--queries", "absent.txt"), "absent.txt: the file of queries cannot be read"),
        (("build", "--force", "--queries", "empty.txt"), "empty.txt holds no query"),
        (("build", "--force", "--queries", "odd.txt"), "byte 0 is not UTF-8"),
        (("build", "--force", "--recall", "2"), "recall is 2"),
        (("build", "--force", "--sense", "topik"), "did you mean 'topic'"),
        (("bench",), "at least 100 are needed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use_is_named(inside: Inside, folder: Path, command: tuple[str, ...], message: str) -> None:
    (folder / "empty.txt").write_text("\n \n")
    (folder / "odd.txt").write_bytes(b"\xff\xfe\xff")
    code, out, err = inside("index", "papers", *command)
    assert (code, out) == (2, "")
    assert message in err


def test_bench_writes_a_table_and_a_plot(inside: Inside, folder: Path) -> None:
    pytest.importorskip("matplotlib")
    rows = [{"id": f"x{n}", "title": f"item {n}", "abstract": f"about {n % 13} and {n % 7}"} for n in range(200)]
    (folder / "more.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert inside("add", "papers", "more.jsonl")[0] == 0
    code, out, err = inside("index", "papers", "bench", "--rounds", "1", "--plot", "p.svg", "--limit", "150")
    assert code == 0, err
    found = json.loads(out)
    assert found["count"] == 150
    assert {"similia graph", "similia scan (exact)"} <= {row["system"] for row in found["rows"]}
    assert (folder / "p.svg").read_bytes().startswith(b"<?xml")
    assert "similia graph" in inside("index", "papers", "bench", "--rounds", "1", "--format", "table")[1]
