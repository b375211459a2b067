"""``similia correct``: learnt, looked at, taken back and dropped from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Inside = Callable[..., tuple[int, str, str]]


def test_from_nothing_to_dropped(inside: Inside, folder: Path) -> None:
    (folder / "asked.txt").write_text("cats\ncopies of images\nrankings\n\nvectors\ndogs\nfilters\n", "utf-8")
    before = json.loads(inside("search", "papers", "cats", "--mode", "dense")[1])["results"]
    code, out, _ = inside("correct", "papers", "fit", "--queries", "asked.txt", "--strength", "0.5")
    assert code == 0
    made = json.loads(out)
    assert (made["corrected"], made["kind"], made["strength"], made["queries"]) == (True, "csls", 0.5, 3)
    assert made["asked"] == "6 given queries"
    (shown,) = json.loads(inside("correct", "papers")[1])
    assert shown == made
    assert json.loads(inside("correct", "papers", "info", "--sense", "topic")[1]) == [made]
    table = inside("correct", "papers", "info", "--format", "table")[1]
    assert "6 items, corrected by csls" in table
    assert "similia judge" in table
    after = json.loads(inside("search", "papers", "cats", "--mode", "dense")[1])["results"]
    assert [one["score"] for one in after] != [one["score"] for one in before]
    assert inside("correct", "papers", "drop")[::2] == (0, "Dropped the correction of topic.\n")
    assert inside("correct", "papers", "drop")[::2] == (0, "The sense topic is not corrected.\n")
    assert not json.loads(inside("correct", "papers")[1])[0]["corrected"]
    assert inside("undo", "papers")[0] == 0
    assert json.loads(inside("correct", "papers")[1]) == [made]
    table = inside("correct", "papers", "fit", "--kind", "is", "--format", "table")[1]
    assert "corrected by is" in table


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("fit", "--queries", "absent.txt"), "absent.txt: the file of queries cannot be read"),
        (("fit", "--queries", "empty.txt"), "empty.txt holds no query"),
        (("fit", "--queries", "odd.txt"), "byte 0 is not UTF-8"),
        (("fit", "--queries", "two.txt"), "there are 2 queries to learn from; at least 4 are needed"),
        (("fit", "--kind", "cslss"), "did you mean 'csls'"),
        (("fit", "--strength", "2"), "strength is 2"),
        (("fit", "--sense", "topik"), "did you mean 'topic'"),
        (("drop", "--sense", "topik"), "did you mean 'topic'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use_is_named(inside: Inside, folder: Path, command: tuple[str, ...], message: str) -> None:
    (folder / "empty.txt").write_text("\n \n")
    (folder / "odd.txt").write_bytes(b"\xff\xfe\xff")
    (folder / "two.txt").write_text("cats\ndogs\n")
    code, out, err = inside("correct", "papers", *command)
    assert (code, out) == (2, "")
    assert message in err
