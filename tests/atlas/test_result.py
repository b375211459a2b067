"""Results are stored, read and checked; what is shown of them says what they say."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from similia import atlas
from similia.atlas.report import bars, table, to_html, to_markdown
from similia.atlas.result import Claim, Result, claim
from similia.errors import InputError

CLAIMS = (
    claim(1, "a > b", "a - b >= .1", True, measured={"a": 0.5}, baseline={"b": 0.3}),
    claim(2, "a < c | d", "a < c", False, measured={"a": 0.5, "-": -0.25}, note="5 < 6 & more"),
    claim(3, "later", "none", None),
)
RESULT = Result(
    system=44,
    name="Excision Score",
    claims=CLAIMS,
    data={"humanevalpack": "somewhere"},
    seed=0,
    quick=True,
    versions={"python": "3.11"},
    encoder="",
    seconds=1.5,
)


def test_a_result_survives_being_stored(tmp_path: Path) -> None:
    path = RESULT.write(tmp_path / "deep" / "folder")
    assert path.name == "044.json"
    assert Result.read(path) == RESULT
    assert json.loads(path.read_text())["verdict"] == "1 of 2 reproduced"
    assert [p.name for p in path.parent.iterdir()] == ["044.json"]
    assert atlas.results(path.parent) == {44: RESULT}


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((True, True), "reproduced"),
        ((False, False), "not reproduced"),
        ((None,), "not run"),
        ((), "not run"),
        ((True, None), "reproduced"),
        ((True, False, True), "2 of 3 reproduced"),
    ],
)
def test_the_verdict_in_words(verdicts: tuple[bool | None, ...], expected: str) -> None:
    from dataclasses import replace

    claims = tuple(claim(i, "", "", holds) for i, holds in enumerate(verdicts))
    assert replace(RESULT, claims=claims).verdict == expected


def broken(**changes: object) -> dict[str, object]:
    return {**json.loads(json.dumps(RESULT.to_dict())), **changes}


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ([], "expected a JSON object"),
        ({key: value for key, value in broken().items() if key != "seed"}, "'seed' is missing"),
        (broken(extra=1), "'extra' is unknown"),
        (broken(seed="0"), "'seed' is of type str"),
        (broken(seed=True), "'seed' is of type bool"),
        (broken(quick=0), "'quick' is of type int"),
        (broken(format=2), "format 2"),
        (broken(claims=[{}]), "claim 1: field"),
        (broken(claims=[{**broken()["claims"][0], "verdict": "maybe"}]), "verdict 'maybe'"),  # type: ignore[index]
        (broken(claims=[{**broken()["claims"][0], "measured": {"a": "x"}}]), "no number"),  # type: ignore[index]
    ],
)
def test_a_stored_result_is_checked(stored: object, message: str, tmp_path: Path) -> None:
    (tmp_path / "044.json").write_text(json.dumps(stored))
    with pytest.raises(InputError, match=message):
        atlas.results(tmp_path)


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "044.json").write_text("{")
    with pytest.raises(InputError, match=r"044\.json cannot be read"):
        atlas.results(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        atlas.results(tmp_path / "nowhere")


def test_results_of_this_folder_win_over_the_published_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    RESULT.write(tmp_path / "atlas-results")
    assert atlas.results()[44] == RESULT


def test_a_page_of_html(tmp_path: Path) -> None:
    path = atlas.report({44: RESULT}, tmp_path / "atlas.html")
    page = path.read_text()
    assert "1 of 2 reproduced" in page
    assert "a &lt; c | d" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    with pytest.raises(InputError, match="no results"):
        atlas.report([], path)


def test_bars_are_to_scale_and_well_formed() -> None:
    drawn = ElementTree.fromstring(bars(CLAIMS[0]))
    widths = [float(rect.attrib["width"]) for rect in drawn.iter("rect")]
    assert widths[1] / widths[0] == pytest.approx(0.6, abs=0.01)
    assert bars(CLAIMS[2]) == ""
    names = claim(1, "", "", True, measured={"<b>&'": -1.0, "zero": 0.0})
    assert len(list(ElementTree.fromstring(bars(names)).iter("rect"))) == 2


def test_a_page_of_markdown(tmp_path: Path) -> None:
    page = atlas.report([RESULT], tmp_path / "atlas.md").read_text()
    assert page == to_markdown([RESULT])
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len(CLAIMS)
    assert all(line.replace("\\|", "").count("|") == 6 for line in rows)
    assert "✗ not reproduced" in page
    assert "the quick sample" in page


def test_a_table_of_all_systems() -> None:
    with open("/dev/null", "w") as nowhere:  # noqa: PTH123
        console = Console(width=160, record=True, file=nowhere)
        console.print(table({44: RESULT}))
    shown = console.export_text()
    assert "1 of 2 reproduced (quick)" in shown
    assert "vstash" in shown
    assert "not run" in shown


def test_html_of_a_system_that_is_no_more() -> None:
    from dataclasses import replace

    assert "099 Gone" in to_html([replace(RESULT, system=99, name="Gone")])


def test_claims_round_their_numbers() -> None:
    made = claim(1, "", "", True, measured={"x": 1 / 3})
    assert made == Claim(1, "", "", "reproduced", {"x": 0.333333})
