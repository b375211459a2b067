"""The page of verdicts says what the published results say."""

from __future__ import annotations

from pathlib import Path

from similia import atlas
from similia.atlas.report import to_markdown

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "atlas"


def test_the_page_is_that_of_the_results() -> None:
    results = atlas.results(PUBLISHED)
    assert {result.system for result in results.values()} == {int(path.stem) for path in PUBLISHED.glob("*.json")}
    assert not any(result.quick for result in results.values())
    page = (PUBLISHED / "verdicts.md").read_text("utf-8")
    assert page == to_markdown(list(results.values())), (
        "write it anew: similia atlas report docs/atlas/verdicts.md --results docs/atlas"
    )
