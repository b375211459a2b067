"""Judging a hit on the search page: a small form, which works without a script."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from similia.errors import InputError
from similia.serve.context import Chosen, Name, Writable
from similia.serve.pages.state import PAGE, State
from similia.serve.settings import MAX_FILTER, MAX_KEY, MAX_OFFSET, MAX_QUERY

router = APIRouter(prefix="/c/{name}")

Text = Annotated[str, Form(max_length=MAX_QUERY)]
Key = Annotated[str, Form(max_length=MAX_KEY)]


@router.post("/judge", dependencies=[Writable])
def judge(
    name: Name,
    collection: Chosen,
    item: Key,
    grade: Annotated[Literal["0", "1", "2", "none"], Form()],
    place: Annotated[int, Form(ge=1, le=2 * MAX_OFFSET)] = 1,
    q: Text = "",
    like: Key = "",
    sense: Text = "topic",
    mode: Text = "hybrid",
    where: Annotated[str, Form(max_length=MAX_FILTER)] = "",
    k: Annotated[int, Form(ge=1, le=100)] = PAGE,
    offset: Annotated[int, Form(ge=0, le=MAX_OFFSET)] = 0,
    min_relevance: Annotated[float | None, Form(ge=0, le=1)] = None,
    evidence: Annotated[int, Form(ge=0, le=1)] = 0,
) -> Response:
    """Store what was said of a hit, or take it back with the grade "none", and go back to the search."""
    q = q.strip()
    asked, kin = (q, None) if q else (None, like or None)
    if asked is None and kin is None:  # taking back would then be about every query
        raise InputError("the form does not say what was searched for; judge the hits of a search")
    if grade == "none":
        collection.judgments.remove(asked, item, like=kin, sense=sense, source="page")
    else:
        collection.judgments.add(asked, item, int(grade), like=kin, sense=sense, source="page")
    # Made of the parts of a search, never of an address that was sent: it cannot lead elsewhere.
    state = State(name, q, "" if q else like, sense, mode, where, k, offset, min_relevance, evidence)
    return RedirectResponse(f"{state.href()}#hit-{place}", 303)
