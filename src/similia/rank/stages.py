"""A judge as a stage of a search: it reads the top hits, and whatever goes wrong, there is an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np

from similia.encode.base import as_texts
from similia.errors import InputError
from similia.progress import bar
from similia.rank.judging.base import Judge, Tally, order_by
from similia.rank.listwise import Reranked, rerank
from similia.types import Hits

By: TypeAlias = Literal["order", "grade"]
Texts: TypeAlias = Callable[[int], str | None] | Mapping[int, str] | Sequence[str]


def rerank_by_judge(
    judge: Judge,
    queries: Sequence[str],
    hits: Hits,
    texts: Texts,
    *,
    top: int = 10,
    by: By = "order",
    give_up: int = 3,
    progress: bool | None = None,
) -> Reranked:
    """Let a judge put the top hits of each query in order.

    No candidate is lost or added. Where the judge has no answer, or raises, the query keeps its order, and the report
    says so; after ``give_up`` such queries in a row it is asked no more. What was judged until then stays. A hit
    without a text is not shown to the judge and keeps its place.

    Args:
        judge: who reads.
        queries: (q,) texts of the queries.
        hits: of a first stage, for the same queries.
        texts: the text of an id: a function, a mapping, or a sequence for ids from 0. None, or an id that is not there,
            is a hit without a text.
        top: how many hits a query are shown and may move.
        by: "order" asks for a ranking of them all, "grade" for a grade of each.
        give_up: failed queries in a row.
        progress: as in `similia.progress.bar`.

    Raises:
        InputError: queries that do not fit the hits, or an argument out of range; never for what the judge does.

    Examples:
        >>> from similia.rank.judging import AspectJudge
        >>> judge = AspectJudge(lambda query: dict.fromkeys(query.split()), lambda item, word, _: word in item.split())
        >>> stage = rerank_by_judge(judge, ["red cat"], Hits([[0, 1]], [[0.9, 0.8]]), ["a red dog", "a red cat"])
        >>> stage.hits.ids.tolist(), str(stage)[:37]
        ([[1, 0]], '1 of 1 queries judged, 1 changed; 2 c')
    """
    asked = as_texts(queries)
    if len(asked) != len(hits):
        raise InputError(f"there are {len(asked)} queries for the hits of {len(hits)}")
    if by not in get_args(By):
        raise InputError(f"by is {by!r}; expected 'order' or 'grade'")
    if top < 1 or give_up < 1:
        raise InputError(f"top {top}, give_up {give_up}: each must be at least 1")
    tally = getattr(judge, "tally", None)
    before = tally.copy() if isinstance(tally, Tally) else None
    started = time.perf_counter()
    orders: list[list[int] | None] = []
    errors: dict[str, None] = {}
    missing = failed = failures = 0
    with bar("judging", len(asked), unit="queries", show=progress) as shown:
        for query, (ids, _) in zip(asked, hits, strict=True):
            found = [_text(texts, int(item)) for item in ids[:top]]
            places = [place for place, text in enumerate(found) if text is not None]
            missing += len(found) - len(places)
            order: list[int] | None = None
            if failed < give_up:
                order, reason = _ask(judge, query, [text for text in found if text is not None], by)
                failed = 0 if order is not None else failed + 1
                failures += order is None
                if order is None:
                    errors[reason] = None
            orders.append(None if order is None else _whole(order, places, len(found)))
            shown.advance()
    after = getattr(judge, "tally", None)
    if before is not None and isinstance(after, Tally):
        spent = after.since(before)
    else:
        spent = Tally(len(asked), 0, failures, 1000 * (time.perf_counter() - started))
    if failed >= give_up:
        errors[f"the judge was given up after {give_up} failed queries in a row"] = None
    judged = np.array([order is not None for order in orders], dtype=np.bool_)
    return Reranked(rerank(hits, orders=orders, top=top), hits, spent, judged, missing, tuple(errors))


def _text(texts: Texts, item: int) -> str | None:
    if callable(texts):
        return texts(item)
    if isinstance(texts, Mapping):
        return texts.get(item)
    return texts[item] if item < len(texts) else None


def _ask(judge: Judge, query: str, items: list[str], by: By) -> tuple[list[int] | None, str]:
    """The judge's order of the items, or why there is none."""
    if not items:
        return [], ""
    try:
        if by == "grade":
            grades = np.asarray(judge.grade(query, items), dtype=np.float64)
            usable = grades.shape == (len(items),) and not np.isnan(grades).all()
            order = order_by(grades) if usable else None
        else:
            given = judge.order(query, items)
            order = None if given is None else [int(place) for place in given]
            if order is not None and sorted(order) != list(range(len(items))):
                return None, "the judge gave an order that is no permutation"
    except Exception as error:  # noqa: BLE001  (a judge is someone else's code, and a search must not end by it)
        return None, f"{type(error).__name__}: {str(error)[:200]}"
    tally = getattr(judge, "tally", None)
    return order, (tally.last_error if isinstance(tally, Tally) else "") or "the judge gave no usable answer"


def _whole(order: list[int], places: list[int], count: int) -> list[int]:
    """The order of all, where those that were not shown keep their place."""
    whole = list(range(count))
    for place, chosen in zip(places, order, strict=True):
        whole[place] = places[chosen]
    return whole
