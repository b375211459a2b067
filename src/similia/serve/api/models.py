"""What the API takes and gives: limits that are checked, shapes that the OpenAPI document shows."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from similia.serve.settings import MAX_CLASSES, MAX_FILTER, MAX_ITEMS, MAX_KEY, MAX_OFFSET, MAX_QUERY, MAX_VECTOR

Mode: TypeAlias = Literal["hybrid", "dense", "text"]
Duplicate: TypeAlias = Literal["error", "skip", "replace"]
Key: TypeAlias = Annotated[str, Field(max_length=MAX_KEY)]
FieldName: TypeAlias = Annotated[str, Field(min_length=1, max_length=500)]
Where: TypeAlias = Annotated[str, Field(max_length=MAX_FILTER)]


class Asked(BaseModel):
    """A body: no name that is not known, no value of another type."""

    model_config = ConfigDict(extra="forbid")


class SearchBody(Asked):
    """A search: by ``query``, by ``vector``, or by what is ``like`` an item."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"query": "rank fusion", "where": "date >= '2025-01-01'", "k": 5},
                {"like": "retrieval-04", "sense": "method", "k": 3},
            ]
        },
    )

    query: Annotated[str, Field(max_length=MAX_QUERY)] | None = None
    vector: Annotated[list[float], Field(min_length=1, max_length=MAX_VECTOR)] | None = None
    like: Key | None = None
    sense: Annotated[str, Field(max_length=255)] = "topic"
    mode: Mode = "hybrid"
    where: Where | None = None
    k: Annotated[int, Field(ge=1, le=10_000)] = 10
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET)] = 0
    fields: Annotated[list[FieldName], Field(max_length=200)] | None = Field(
        None, description="fields of the items to give; all if left out"
    )

    @model_validator(mode="after")
    def _one_question(self) -> SearchBody:
        if sum(one is not None for one in (self.query, self.vector, self.like)) > 1:
            raise ValueError("give one of query, vector and like, not several")
        return self


class HitShown(BaseModel):
    """One result."""

    key: str
    score: float = Field(description="higher is more similar; comparable within one answer")
    item: dict[str, Any]
    ranks: dict[str, int | None] = Field(description="place in each view, from 1; null where the view has not found it")
    scores: dict[str, float | None] = Field(description="score in each view")


class ResultsShown(BaseModel):
    """The answer to a search."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "query": "rank fusion",
                    "sense": "topic",
                    "mode": "hybrid",
                    "note": "",
                    "k": 1,
                    "offset": 0,
                    "total": 24,
                    "seconds": 0.004,
                    "weights": {"dense": 1.0, "text": 1.0},
                    "hits": [
                        {
                            "key": "retrieval-03",
                            "score": 0.0328,
                            "item": {"title": "Fusing rankings", "date": "2025-02-01"},
                            "ranks": {"dense": 1, "text": 1},
                            "scores": {"dense": 0.61, "text": 7.2},
                        }
                    ],
                }
            ]
        }
    )

    query: str | None
    sense: str
    mode: str
    note: str = Field(description="what the reader should know, or empty")
    k: int
    offset: int
    total: int | None = Field(description="how many items pass the filter")
    seconds: float
    weights: dict[str, float]
    hits: list[HitShown]


class CollectionShown(BaseModel):
    """A collection in a few words."""

    name: str
    items: int
    fields: dict[str, str]
    senses: list[str]
    writable: bool


class CollectionsShown(BaseModel):
    """The collections that are served."""

    collections: list[CollectionShown]


class ItemShown(BaseModel):
    """One item."""

    key: str
    item: dict[str, Any]


class ItemsShown(BaseModel):
    """Items, and how many there are."""

    total: int
    items: list[ItemShown]


class FacetValue(BaseModel):
    """A value and how many items have it."""

    value: Any
    count: int


class FacetsShown(BaseModel):
    """The most frequent values of a field."""

    field: str
    type: str
    values: list[FacetValue]


class SenseShown(BaseModel):
    """A sense and how it is made."""

    name: str
    fields: list[str]
    encoder: str | None = Field(description="null where vectors were given")
    about: str | None
    dimension: int
    precision: str
    loss: float | None
    count: int
    state: str = Field(description="ready, or building")


class SensesShown(BaseModel):
    """The senses of a collection."""

    senses: list[SenseShown]


class LayoutShown(BaseModel):
    """Points of a map, in columns: the i-th key, title, x, y and colour value belong together."""

    sense: str
    total: int
    keys: list[str]
    titles: list[str]
    x: list[float]
    y: list[float]
    field: str | None
    type: str | None
    values: list[Any] | None


class FilterShown(BaseModel):
    """Whether a filter can be understood."""

    ok: bool
    detail: str = Field(description="one sentence about what is wrong, or empty")
    fields: list[str] = Field(description="the fields that it uses")


class LabelBody(Asked):
    """Classes by name, each with words that describe it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"classes": {"search": ["retrieval", "ranking"], "audio": ["speech", "music"]}}]
        },
    )

    classes: dict[
        Annotated[str, Field(min_length=1, max_length=500)],
        Annotated[list[Annotated[str, Field(max_length=500)]], Field(max_length=100)],
    ] = Field(min_length=1, max_length=MAX_CLASSES)
    sense: Annotated[str, Field(max_length=255)] = "topic"
    save: FieldName | None = Field(None, description="a field to write the labels to; left out, nothing is written")
    k: Annotated[int, Field(ge=1, le=10_000)] = Field(1_000, description="how many items to give labels of")
    offset: Annotated[int, Field(ge=0)] = 0


class LabelShown(BaseModel):
    """The label of one item."""

    key: str
    label: str
    confidence: float
    scores: dict[str, float]


class LabelsShown(BaseModel):
    """Labels: how many items each class has, and the items asked for."""

    total: int
    counts: dict[str, int]
    labels: list[LabelShown]


class ItemsBody(Asked):
    """Items to add."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"items": [{"id": "a", "title": "Fusing rankings"}], "key": "id", "on_duplicate": "replace"}]
        },
    )

    items: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_ITEMS)]
    key: FieldName | None = None
    on_duplicate: Duplicate = "error"


class AddBody(Asked):
    """How an uploaded file is to be added."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"key": "id", "text": ["title", "abstract"]}]}
    )

    key: FieldName | None = None
    text: Annotated[list[FieldName], Field(max_length=200)] | None = Field(
        None, description="fields of the sense topic; only for the first file of a collection"
    )
    types: dict[FieldName, Annotated[str, Field(max_length=20)]] | None = Field(
        None, description="field types that differ from those found"
    )
    on_duplicate: Duplicate = "error"


class FieldShown(BaseModel):
    """A field of an uploaded file."""

    name: str
    type: str
    example: str
    empty: int
    unique: bool


class UploadShown(BaseModel):
    """A file and what has become of it."""

    id: str
    collection: str
    file: str
    bytes: int
    state: Literal["reading", "ready", "waiting", "adding", "done", "failed", "stopped"]
    rows: int | None
    done: int
    fields: list[FieldShown]
    key: str | None = Field(description="a field that could identify the items")
    report: dict[str, Any] | None
    error: str | None


class UploadsShown(BaseModel):
    """Uploads, newest first."""

    uploads: list[UploadShown]


class Problem(BaseModel):
    """An error in one sentence."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"detail": "no item has the key 'x'"}]})

    detail: str
