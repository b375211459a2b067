"""Routes that read: collections, search, items, comparison, facets, senses, map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from similia.collection import Collection
from similia.errors import FilterError
from similia.serve.answers import Json, to_json
from similia.serve.api import models
from similia.serve.api.shapes import layout_shape, only, results_shape
from similia.serve.context import Chosen, Here, Name
from similia.serve.settings import MAX_EVIDENCE, MAX_FILTER, MAX_KEY, MAX_LIKES, MAX_OFFSET, MAX_QUERY

router = APIRouter()

Sense = Annotated[str, Query(description="name of a sense", max_length=255)]
Where = Annotated[
    str | None,
    Query(description="a filter; see the guide", max_length=MAX_FILTER, examples=["date >= '2025-01-01' AND open"]),
]
Key = Annotated[str, Query(description="key of an item", max_length=MAX_KEY, examples=["retrieval-04"])]
K = Annotated[int, Query(description="how many results; the server sets a limit", ge=1, le=10_000)]
Offset = Annotated[int, Query(description="how many results to leave out", ge=0, le=MAX_OFFSET)]
Likes = Annotated[
    list[models.Key] | None,
    Query(description="key of an item to find the like of; repeat it for several", max_length=MAX_LIKES),
]
Unlikes = Annotated[
    list[models.Key] | None,
    Query(description="key of an item that hits should not be like; repeat it for several", max_length=MAX_LIKES),
]
Fields = Annotated[list[str] | None, Query(description="fields of the items to give; all if left out", max_length=200)]


@router.get("/health", summary="Whether the server is there")
def health() -> dict[str, Any]:
    """Answer at once."""
    from similia import __version__

    return {"ok": True, "version": __version__}


@router.get("/collections", response_model=models.CollectionsShown, summary="The collections")
def collections(here: Here) -> Response:
    """Every collection that is served, in a few words."""
    shown = []
    for name in here.shelf:
        one = here.shelf[name]
        shown.append(
            {
                "name": name,
                "items": len(one),
                "fields": dict(one.fields),
                "senses": list(one.senses),
                "writable": here.settings.allow_upload,
            }
        )
    return Json({"collections": shown})


@router.get("/collections/{name}", summary="What a collection holds")
def info(name: Name, collection: Chosen) -> Response:
    """Items, fields, senses, sizes."""
    return Json({**info_shape(collection), "name": name})


@router.get("/collections/{name}/log", summary="What was changed, and when")
def log(collection: Chosen, limit: Annotated[int, Query(ge=1, le=1_000)] = 50) -> Response:
    """The latest changes first."""
    return Json({"changes": [change_shape(row) for row in collection.log(limit)]})


def info_shape(collection: Collection) -> dict[str, Any]:
    """What a collection holds, without places on this machine."""
    said = collection.info().to_dict()
    shown = {name: said[name] for name in ("items", "fields", "bytes", "version", "changes")}
    return {**shown, "senses": [sense_shape(collection.senses[name]) for name in collection.senses]}


def change_shape(row: Any) -> dict[str, Any]:
    """A change without its arguments, which may name places on this machine."""
    names = ("number", "command", "state", "started", "finished", "added", "replaced", "deleted")
    return {name: getattr(row, name) for name in names}


@router.get("/collections/{name}/search", response_model=models.ResultsShown, summary="Search")
def search(
    collection: Chosen,
    here: Here,
    q: Annotated[
        str | None, Query(description="what to look for", max_length=MAX_QUERY, examples=["rank fusion"])
    ] = None,
    like: Likes = None,
    unlike: Unlikes = None,
    sense: Sense = "topic",
    mode: models.Mode = "hybrid",
    where: Where = None,
    k: K = 10,
    offset: Offset = 0,
    min_relevance: Annotated[
        float | None, Query(description="leave out what is relevant with less probability", ge=0, le=1)
    ] = None,
    evidence: Annotated[
        int, Query(description="how many sentences to give that speak for each hit", ge=0, le=MAX_EVIDENCE)
    ] = 0,
    fields: Fields = None,
) -> Response:
    """The most similar items, best first: by the words of ``q``, by what is ``like`` items, or by both."""
    here.settings.check_k(k)
    found = collection.search(
        q,
        like=like,
        unlike=unlike,
        sense=sense,
        mode=mode,
        where=where or None,
        k=k,
        offset=offset,
        min_relevance=min_relevance,
        evidence=here.settings.check_evidence(evidence, k),
    )
    return Json(results_shape(found, fields))


@router.post("/collections/{name}/search", response_model=models.ResultsShown, summary="Search, also by a vector")
def search_by_body(body: models.SearchBody, collection: Chosen, here: Here) -> Response:
    """As GET, for long queries and for vectors."""
    import numpy as np

    here.settings.check_k(body.k)
    found = collection.search(
        body.query if body.vector is None else np.asarray(body.vector, dtype=np.float32),
        like=body.like,
        unlike=body.unlike,
        sense=body.sense,
        mode=body.mode,
        where=body.where or None,
        k=body.k,
        offset=body.offset,
        min_relevance=body.min_relevance,
        evidence=here.settings.check_evidence(body.evidence, body.k),
    )
    return Json(results_shape(found, body.fields))


@router.get("/collections/{name}/item", response_model=models.ItemShown, summary="One item")
def item(collection: Chosen, key: Key) -> Response:
    """All fields of an item."""
    return Json({"key": key, "item": {name: value for name, value in collection[key].items() if name != "_key"}})


@router.get("/collections/{name}/items", response_model=models.ItemsShown, summary="Items in their order")
def items(
    collection: Chosen, here: Here, where: Where = None, k: K = 10, offset: Offset = 0, fields: Fields = None
) -> Response:
    """The items that pass a filter, in the order in which they were added."""
    here.settings.check_k(k)
    found = collection.browse(where, k=k, offset=offset)
    return Json({"total": found.total, "items": [{"key": key, "item": only(item, fields)} for key, item in found]})


@router.get("/collections/{name}/similar", response_model=models.ResultsShown, summary="What is like an item")
def similar(
    collection: Chosen,
    here: Here,
    key: Key,
    sense: Sense = "topic",
    where: Where = None,
    k: K = 10,
    offset: Offset = 0,
    fields: Fields = None,
) -> Response:
    """The neighbours of an item in one sense, without itself."""
    here.settings.check_k(k)
    found = collection.similar(key, sense=sense, where=where or None, k=k, offset=offset)
    return Json(results_shape(found, fields))


@router.get("/collections/{name}/compare", summary="Two items side by side")
def compare(collection: Chosen, a: Key, b: Key) -> Response:
    """In which senses two items are alike, how much, and why."""
    return Json(collection.compare(a, b).to_dict())


@router.get("/collections/{name}/facets", response_model=models.FacetsShown, summary="Values of a field")
def facets(
    collection: Chosen,
    field: Annotated[str, Query(description="name of a field", max_length=500, examples=["area"])],
    where: Where = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 20,
) -> Response:
    """The most frequent values of a field among the items that pass the filter."""
    values = collection.facets(field, where=where or None, limit=limit)
    shown = [{"value": value, "count": count} for value, count in values]
    return Json({"field": field, "type": collection.fields[field], "values": shown})


@router.get("/collections/{name}/filter", response_model=models.FilterShown, summary="Check a filter")
def check_filter(
    collection: Chosen, where: Annotated[str, Query(description="the filter", max_length=MAX_FILTER)] = ""
) -> Response:
    """Whether a filter can be understood, and if not, why; for pages that check while someone types."""
    if not where.strip():
        return Json({"ok": True, "detail": "", "fields": []})
    from similia.index.where import Predicate

    try:
        predicate = Predicate.parse(where, collection.fields)
    except FilterError as error:
        return Json({"ok": False, "detail": str(error), "fields": []})
    return Json({"ok": True, "detail": "", "fields": sorted(predicate.fields)})


@router.get("/collections/{name}/senses", response_model=models.SensesShown, summary="The senses")
def senses(collection: Chosen) -> Response:
    """Every sense, and how it is made."""
    return Json({"senses": [sense_shape(collection.senses[name]) for name in collection.senses]})


def sense_shape(sense: Any) -> dict[str, Any]:
    """A `SenseShown` of ``sense``; of an encoder that is a folder, only the folder's name."""
    said = {name: getattr(sense, name) for name in models.SenseShown.model_fields}
    encoder = said["encoder"]
    return {**said, "encoder": Path(encoder).name if encoder and Path(encoder).is_absolute() else encoder}


@router.get("/collections/{name}/layout", response_model=models.LayoutShown, summary="The points of the map")
def layout(
    name: Name,
    collection: Chosen,
    here: Here,
    sense: Sense = "topic",
    colour: Annotated[str | None, Query(description="a field whose values to give along", max_length=500)] = None,
) -> Response:
    """Places in two dimensions: what is near is alike. Large collections are sampled."""
    key = name, collection.version, sense, colour or None
    body = here.maps.get(key, lambda: to_json(layout_shape(collection, sense, colour or None)))
    return Response(body, media_type=Json.media_type)
