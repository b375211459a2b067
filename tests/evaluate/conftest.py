"""A test fails for what it computes, never for how long a busy machine took."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

HOSTILE = '<script>alert(1)</script> "q" & \u202egnorw\u202c \x1b[31mred\x00'


@pytest.fixture(scope="session")
def make_told() -> Callable[..., dict[str, Any]]:
    """What the page of an evaluation is made from: two settings on four queries, one of them hostile."""

    def make(hostile: str = HOSTILE) -> dict[str, Any]:
        from similia.evaluate.reliance import calibration_of

        def of(first: int | None, judged: float, mrr: float | None, ndcg: float | None) -> dict[str, Any]:
            return {"first_relevant": first, "judged": judged, "ndcg@10": ndcg, "mrr": mrr}

        rows = [("q1", hostile, 3), ("q2", "漢字と猫", 1), ("q3", "what nobody finds", 2), ("q4", "nothing to find", 0)]
        here = [of(1, 1.0, 1.0, 0.812), of(4, 0.5, 0.25, 0.431), of(None, 0.0, 0.0, 0.0), of(None, 0.1, None, None)]
        there = [of(2, 1.0, 0.5, 0.631), of(1, 0.5, 1.0, 1.0), of(None, 0.0, 0.0, 0.0), of(None, 0.1, None, None)]

        def setting(how: str, mean: float, differences: dict[str, Any], **more: Any) -> dict[str, Any]:
            values = {
                name: {"value": mean + at / 50, "low": mean / 2 + at / 50, "high": mean * 1.3, "confidence": 0.95}
                for at, name in enumerate(("ndcg@10", "mrr"))
            }
            recall = {"1": 0.2, "2": 0.3, "5": 0.5, "10": 0.61}
            return {"how": how, "milliseconds": 12.34, "judged": 0.5, "values": values, "differences": differences,
                    "better": [], "worse": [], "recall": recall, **more}  # fmt: skip

        p = {"ndcg@10": {"value": 0.1293, "low": -0.1, "high": 0.3, "p": 0.3456}, "mrr": {"value": 0.0833, "p": 0.0}}
        says = {"cut": "more relevant items than places", "encoding": "vectors", "index": "not found"}
        return {
            "name": "papers & <i>more</i>", "k": 10, "seed": 0, "seconds": 1.25, "partial": True,
            "ended": "interrupted", "best": "dense", "metrics": ["ndcg@10", "mrr"],
            "notes": ["partial: ended after 4 of 9 queries", "2 judged items (<b>, c) are not in the collection"],
            "coverage": {"judgments": 17}, "queries": {"counted": 3, "measured": 4, "planned": 9},
            "settings": {
                "hybrid": setting("mode hybrid", 0.414, {}),
                "dense": setting("mode dense", 0.5437, p, better=["q2"], worse=["q1"]),
            },
            "hardest": ["q3", "q1"],
            "losses": [
                {"sense": "topic", "k": 10, "recall": 0.61, "lost": {"cut": 0.05, "encoding": 0.36, "index": -0.02},
                 "metrics": {"cosine": 0.59}, "neighbours": 0.97, "indexed": True, "queries": 3, "says": says},
            ],
            "calibration": {"dense": calibration_of([0.1, 0.9], [0, 1]).to_dict()},
            "per_query": [
                {"query": name, "text": text, "relevant": count, "settings": {"hybrid": one, "dense": other}}
                for (name, text, count), one, other in zip(rows, here, there, strict=True)
            ],
        }  # fmt: skip

    return make
