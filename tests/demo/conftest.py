"""What the tests of the demo share: a story to draw, small, and full of what tries to break out of a page."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from similia.demo.story import Alike, Found, Labelled, Points, Spread, Stage, Story

NASTY = '</script><script>alert(1)</script> & "quotes" 漢字 \u2028 \''


@pytest.fixture(scope="session")
def nasty() -> str:
    return NASTY


@pytest.fixture(scope="session")
def make_story() -> Callable[..., Story]:
    return _story


def _story(count: int = 60) -> Story:
    rng = np.random.default_rng(0)
    hits = [{"key": f"k{i}", "score": 0.9 - i / 10, "note": NASTY} for i in range(3)]
    return Story(
        title="A title & more",
        lead=NASTY,
        unit="things",
        group_name="groups",
        created="2026-01-01 12:00",
        version="0.0",
        stages=[Stage("gather", 1.5, count), Stage("nothing", 0.0, 0)],
        counts={f"group {place}": {"one": place + 1, "two": 2} for place in range(20)},
        points=Points(
            [f"k{place}" for place in range(count)],
            [NASTY] * count,
            rng.normal(size=(count, 2)).astype(np.float32),
            [place % 3 for place in range(count)],
            ["a", "b", NASTY],
        ),
        searches=[Found("why", "topic", f"similia search c '{NASTY}'", hits)],
        comparison=Alike(hits[0], hits[1], {"topic": (0.5, 99.0), "other": (-0.2, None)}, ["word"], "similia compare"),
        labels=Labelled({NASTY: 3, "b": 0}, {NASTY: ["k1"], "b": []}, "similia label"),
        spreads={
            "topic": Spread(rng.normal(0, 0.1, 99).astype(np.float32), rng.normal(0.7, 0.1, 99).astype(np.float32))
        },
        duplicates=[{"left": "k1", "right": "k2", "score": 0.99, "note": NASTY}],
        duplicate_command="similia duplicates",
        next_steps=[("similia add notes ~/notes", "Your own")],
    )
