"""Pages of a collection: search, item, comparison, map, senses, upload, what it holds."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from similia.errors import FilterError, SimiliaError, UnknownItem
from similia.serve.answers import discreet, headers_of, status_of
from similia.serve.api.models import Mode
from similia.serve.api.reading import change_shape, info_shape, sense_shape
from similia.serve.clauses import ranged
from similia.serve.context import Chosen, Here, Name, check_writable
from similia.serve.display import display_of, text_of, title_of
from similia.serve.highlight import mark, terms_of
from similia.serve.pages.cards import SPEAKING, card, cards_of
from similia.serve.pages.compared import compared
from similia.serve.pages.facets import example, groups_of, range_value
from similia.serve.pages.state import PAGE, RELEVANT, State
from similia.serve.render import address, page
from similia.serve.settings import MAX_FILTER, MAX_KEY, MAX_OFFSET, MAX_QUERY
from similia.serve.upload import Options

router = APIRouter(prefix="/c/{name}")

NEIGHBOURS = 6
SHORT = 60
"""Longest value, in characters, that stands beside others in one row."""
LONGEST = 20_000
"""Longest part of a value, in characters, that a page shows; the API gives all of it."""
Text = Annotated[str, Query(max_length=MAX_QUERY)]
Key = Annotated[str, Query(max_length=MAX_KEY)]
Least = Annotated[float | None, Query(ge=0, le=1)]
Speaks = Annotated[int, Query(ge=0, le=1)]
Filter = Annotated[str, Query(max_length=MAX_FILTER)]


@router.get("/")
def search(
    request: Request,
    name: Name,
    collection: Chosen,
    here: Here,
    q: Text = "",
    like: Key = "",
    sense: Text = "topic",
    mode: Text = "hybrid",
    where: Filter = "",
    k: Annotated[int, Query(ge=1, le=100)] = PAGE,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
    min_relevance: Least = None,
    evidence: Speaks = 0,
) -> Response:
    """Search, or look through what passes a filter."""
    state = State(
        name, q.strip(), "" if q.strip() else like, sense, mode, where.strip(), k, offset, min_relevance, evidence
    )
    display = display_of(collection.fields)
    values: dict[str, Any] = {"problem": "", "filter_problem": "", "total": None, "cards": None}
    values.update(liked=None, seconds=None, note="", presence=None, calibrated="", relevant=RELEVANT)
    status, headers = 200, {}
    count = len(collection)
    try:
        if state.like:
            values["liked"] = title_of(collection[state.like], display, state.like)
        here.settings.check_k(k)
        if state.asks and count:
            results = collection.search(
                state.q or None,
                like=state.like or None,
                sense=sense,
                mode=cast("Mode", mode),  # anything else is refused there
                where=state.where or None,
                k=k,
                offset=offset,
                min_relevance=min_relevance,
                evidence=SPEAKING if state.speaks else 0,
            )
            grades: dict[str, float] = {}
            if here.settings.allow_upload:
                asked = collection.judgments.session(
                    state.q or None, like=state.like or None, sense=sense, source="page"
                )
                grades = asked.grades()
            values.update(
                total=results.total,
                seconds=results.seconds,
                cards=cards_of(results, display, state.q, grades),
                note=results.note,
                presence=results.presence,
                calibrated=results.calibrated,
            )
        else:
            listed = collection.browse(state.where, k=k, offset=offset)
            cards = [
                card(key, item, display, frozenset(), offset + place + 1) for place, (key, item) in enumerate(listed)
            ]
            values.update(total=listed.total, cards=cards)
    except SimiliaError as error:
        status, headers = status_of(error), headers_of(error)
        place = "filter_problem" if isinstance(error, FilterError) else "problem"
        values[place] = discreet(str(error), here.shelf.folders)
    version = collection.version

    def facets(field: str, where: str, limit: int) -> list[tuple[Any, int]]:
        key = name, version, field, where, limit
        return here.facets.get(key, lambda: collection.facets(field, where=where or None, limit=limit))

    fields = collection.fields
    groups = [] if values["filter_problem"] else groups_of(facets, fields, display, state)
    values.update(
        collection=name,
        place="search",
        state=state,
        display=display,
        groups=groups,
        example=example(fields, groups),
        senses=list(collection.senses),
        count=count,
    )
    return page(request, "search.html", values, status=status, headers=headers)


@router.get("/range")
def set_range(
    name: Name,
    collection: Chosen,
    field: Text,
    low: Text = "",
    high: Text = "",
    q: Text = "",
    like: Key = "",
    sense: Text = "topic",
    mode: Text = "hybrid",
    where: Filter = "",
    min_relevance: Least = None,
    evidence: Speaks = 0,
) -> Response:
    """Put a range that was entered into the filter, and go back to the search."""
    kind = collection.fields.get(field)
    if kind is None:
        raise UnknownItem(f"there is no field {field[:80]!r}")
    narrowed = ranged(where, field, low=range_value(low, kind), high=range_value(high, kind))
    state = State(name, q, like, sense, mode, narrowed, min_relevance=min_relevance, evidence=evidence)
    return RedirectResponse(state.href(), 303)


@router.get("/item")
def item(request: Request, name: Name, collection: Chosen, key: Key, q: Text = "") -> Response:
    """One item, and its neighbours in every sense."""
    record = {field: value for field, value in collection[key].items() if field != "_key"}
    display = display_of(collection.fields)
    terms = terms_of(q) if q else frozenset()
    title = title_of(record, display, key, 300)
    short: list[dict[str, Any]] = []
    long: list[dict[str, Any]] = []
    for field, value in record.items():
        text = text_of(value)
        text = text if len(text) <= LONGEST else f"{text[:LONGEST]}… (and {len(text) - LONGEST:,} characters more)"
        if text and not (field == display.title and text == title):
            shown = {"name": field, "type": collection.fields.get(field, ""), "pieces": mark(text, terms)}
            (short if len(text) <= SHORT else long).append(shown)
    beside = []
    for sense in (collection.senses[name] for name in collection.senses):
        if sense.state == "ready":
            results = collection.similar(key, sense=sense.name, k=NEIGHBOURS)
            beside.append({"sense": sense, "cards": cards_of(results, display, "")})
    values = {
        "collection": name,
        "place": "item",
        "key": key,
        "title": title,
        "short": short,
        "long": long,
        "beside": beside,
        "q": q,
    }
    return page(request, "item.html", values)


@router.get("/compare")
def compare(request: Request, name: Name, collection: Chosen, a: Key = "", b: Key = "") -> Response:
    """Two items side by side."""
    values: dict[str, Any] = {"collection": name, "place": "compare", "a": a, "b": b, "pair": None, "candidates": []}
    display = display_of(collection.fields)
    if a and b:
        values["pair"] = compared(collection.compare(a, b), collection[a], collection[b], display, a, b)
    elif a or b:
        one = a or b
        values["known"] = title_of(collection[one], display, one)
        values["candidates"] = cards_of(collection.similar(one, k=2 * NEIGHBOURS), display, "")
    return page(request, "compare.html", {"known": None, **values})


@router.get("/map")
def plan(
    request: Request, name: Name, collection: Chosen, here: Here, sense: Text = "topic", colour: Text = "", q: Text = ""
) -> Response:
    """The map; its points come from the API."""
    display = display_of(collection.fields)
    values = {
        "collection": name,
        "place": "map",
        "senses": list(collection.senses),
        "sense": sense,
        "colours": display.colours,
        "colour": colour or (display.colours[0] if display.colours else ""),
        "q": q,
        "count": len(collection),
        "most": here.settings.max_k,
    }
    return page(request, "map.html", values)


@router.get("/senses")
def senses(request: Request, name: Name, collection: Chosen) -> Response:
    """The senses, and how each is made."""
    shown = [sense_shape(collection.senses[sense]) for sense in collection.senses]
    return page(request, "senses.html", {"collection": name, "place": "senses", "senses": shown})


@router.get("/info")
def info(request: Request, name: Name, collection: Chosen) -> Response:
    """What the collection holds, and what was done to it."""
    values = {
        "collection": name,
        "place": "info",
        "info": info_shape(collection),
        "changes": [change_shape(row) for row in collection.log(50)],
    }
    return page(request, "info.html", values)


@router.get("/upload")
def upload(request: Request, name: Name, collection: Chosen, here: Here) -> Response:
    """Add a file."""
    values = {
        "collection": name,
        "place": "upload",
        "uploads": here.uploads.of(name)[:20],
        "max_body": here.settings.max_body,
        "empty": len(collection) == 0,
    }
    return page(request, "upload.html", values)


@router.post("/upload")
async def upload_without_script(request: Request, name: Name, here: Here) -> Response:
    """Add a file from a browser that runs no scripts: it is read and added at once."""
    check_writable(here)
    _ = here.shelf[name]
    async with request.form(max_files=1, max_fields=4) as form:
        file = form.get("file")
        if file is None or isinstance(file, str):
            raise UnknownItem("no file was sent; choose one first")
        await run_in_threadpool(here.uploads.receive, name, file.filename, file.file, start=Options())
    return RedirectResponse(address(name, "upload"), 303)
