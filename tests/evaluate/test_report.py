"""Reports show means, intervals, and what differs."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from similia.errors import InputError
from similia.evaluate import compare, evaluate

QRELS = {f"q{i}": {"good": 1} for i in range(20)}
FIRST = evaluate({q: {"bad": 2.0, "good": 1.0} for q in QRELS}, QRELS, ["mrr", "ndcg@10"])
SECOND = evaluate({q: {"good": 2.0, "bad": 1.0} for q in QRELS}, QRELS, ["mrr", "ndcg@10"])


def test_a_certain_difference_is_starred_and_the_first_run_is_not() -> None:
    report = compare({"first": FIRST, "second": SECOND})
    lines = report.to_markdown().splitlines()
    assert lines[2] == "| first | 0.500 ± 0.000 | 0.631 ± 0.000 |"
    assert lines[3] == "| second | 1.000 ± 0.000* | 1.000 ± 0.000* |"
    second = report.rows[1]
    assert second.p["mrr"] < 0.001
    assert second.differences["mrr"].value == 0.5


def test_it_shows_itself_in_a_terminal_and_as_json() -> None:
    report = compare({"first": FIRST, "second": SECOND}, ["mrr"])
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(report)
    console.file.close()
    assert "1.000" in console.export_text()
    stored = json.loads(json.dumps(report.to_dict()))
    assert stored["second"]["mrr"]["value"] == 1.0
    assert "p" not in stored["first"]["mrr"]


def test_other_queries_do_not_compare() -> None:
    other = evaluate({}, {"z": {"a": 1}}, ["mrr"])
    with pytest.raises(InputError, match="other queries"):
        compare({"first": FIRST, "other": other})
    with pytest.raises(InputError, match="no run"):
        compare({})
    with pytest.raises(InputError, match="not evaluated"):
        compare({"first": FIRST}, ["recall@3"])
