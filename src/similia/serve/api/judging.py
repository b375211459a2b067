"""Routes of judgments: how well items answer queries, as people say and as their clicks suggest."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from similia.serve.answers import Json
from similia.serve.api import models
from similia.serve.context import Chosen, Here, Writable
from similia.serve.settings import MAX_KEY, MAX_OFFSET, MAX_QUERY

router = APIRouter()


@router.get("/collections/{name}/judgments", response_model=models.JudgmentsShown, summary="The judgments")
def judgments(
    collection: Chosen,
    here: Here,
    q: Annotated[str | None, Query(description="only of this query", max_length=MAX_QUERY)] = None,
    like: Annotated[str | None, Query(description="only of this item that was asked about", max_length=MAX_KEY)] = None,
    source: Annotated[
        Literal["cli", "page", "click", "file"] | None, Query(description="only what was said there")
    ] = None,
    k: Annotated[int, Query(description="how many; the server sets a limit", ge=1, le=10_000)] = 100,
    offset: Annotated[int, Query(description="how many to leave out", ge=0, le=MAX_OFFSET)] = 0,
) -> Response:
    """What was said of items, the latest first."""
    here.settings.check_k(k)
    wanted = {"query": q, "like": like, "source": source}
    kept = [
        one
        for one in collection.judgments.to_dicts()
        if all(value is None or one[name] == value for name, value in wanted.items())
    ]
    return Json({"total": len(kept), "judgments": kept[::-1][offset : offset + k]})


@router.post(
    "/collections/{name}/judgments",
    response_model=models.JudgedShown,
    dependencies=[Writable],
    summary="Judge an item",
)
def judge(body: models.JudgmentBody, collection: Chosen) -> Response:
    """Say how well an item answers a query. What is said again replaces what was said; a click counts once."""
    if body.source == "click":
        before = collection.judgments.session(body.query, like=body.like, sense=body.sense, source="click")
        if body.item in before.grades():  # the log of changes need not hold every visit
            return Json({"added": 0, "replaced": 0, "skipped": 1, "unknown": []})
    report = collection.judgments.add(
        body.query, body.item, body.grade, like=body.like, sense=body.sense, source=body.source, note=body.note
    )
    return Json(report.to_dict())
