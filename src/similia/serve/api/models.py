"""What the API takes and gives: limits that are checked, shapes that the OpenAPI document shows."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from similia.serve.settings import (
    MAX_CLASSES,
    MAX_EVIDENCE,
    MAX_FILTER,
    MAX_GRADE,
    MAX_ITEMS,
    MAX_KEY,
    MAX_LIKES,
    MAX_NOTE,
    MAX_OFFSET,
    MAX_QUERY,
    MAX_VECTOR,
)

Mode: TypeAlias = Literal["hybrid", "dense", "text"]
Duplicate: TypeAlias = Literal["error", "skip", "replace"]
Key: TypeAlias = Annotated[str, Field(max_length=MAX_KEY)]
Keys: TypeAlias = Annotated[list[Key], Field(max_length=MAX_LIKES)]
FieldName: TypeAlias = Annotated[str, Field(min_length=1, max_length=500)]
Where: TypeAlias = Annotated[str, Field(max_length=MAX_FILTER)]


class Asked(BaseModel):
    """A body: no name that is not known, no value of another type."""

    model_config = ConfigDict(extra="forbid")


class SearchBody(Asked):
    """A search: by ``query`` or by ``vector``, by what is ``like`` items, or by both, and ``unlike`` others.

    There is no ``rerank``: it names folders of this machine and addresses that this machine would ask, which nobody
    who only reaches the server may choose. Who runs the server can re-rank in Python and at the command line.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"query": "rank fusion", "where": "date >= '2025-01-01'", "k": 5},
                {"like": "retrieval-04", "sense": "method", "k": 3},
                {"query": "rank fusion", "like": ["retrieval-04"], "min_relevance": 0.5, "evidence": 1},
            ]
        },
    )

    query: Annotated[str, Field(max_length=MAX_QUERY)] | None = None
    vector: Annotated[list[float], Field(min_length=1, max_length=MAX_VECTOR)] | None = None
    like: Key | Keys | None = Field(None, description="key of an item, or several, instead of a query or beside it")
    unlike: Key | Keys | None = Field(None, description="key of an item, or several, that hits should not be like")
    sense: Annotated[str, Field(max_length=255)] = "topic"
    mode: Mode = "hybrid"
    where: Where | None = None
    k: Annotated[int, Field(ge=1, le=10_000)] = 10
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET)] = 0
    min_relevance: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="leave out what is relevant with less probability"
    )
    evidence: Annotated[int, Field(ge=0, le=MAX_EVIDENCE)] = Field(
        0, description="how many sentences to give that speak for each hit"
    )
    fields: Annotated[list[FieldName], Field(max_length=200)] | None = Field(
        None, description="fields of the items to give; all if left out"
    )

    @model_validator(mode="after")
    def _one_question(self) -> SearchBody:
        if self.query is not None and self.vector is not None:
            raise ValueError("give one of query and vector, not both")
        return self


class EvidenceShown(BaseModel):
    """A sentence that speaks for a hit: ``item[field][start:stop]``."""

    field: str
    start: int
    stop: int
    text: str
    score: float = Field(description="how much it speaks for the hit; comparable within one answer")
    words: list[tuple[int, int]] = Field(description="start and stop, in the field, of each word that the query has")


class HitShown(BaseModel):
    """One result."""

    key: str
    score: float = Field(description="higher is more similar; comparable within one answer")
    item: dict[str, Any]
    ranks: dict[str, int | None] = Field(description="place in each view, from 1; null where the view has not found it")
    scores: dict[str, float | None] = Field(description="score in each view")
    relevance: float | None = Field(
        None, description="probability of being relevant; where min_relevance is asked for and there are judgments"
    )
    evidence: list[EvidenceShown] | None = Field(None, description="best first; where it is asked for")


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
    presence: float | None = Field(
        None, description="probability that there is anything on the query; where min_relevance is asked for"
    )
    calibrated: str = Field("", description="what these probabilities were learnt from")
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


class JudgmentBody(Asked):
    """How well an item answers a query, or resembles an item that was asked about."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"query": "rank fusion", "item": "retrieval-03", "grade": 2, "source": "page"}]
        },
    )

    query: Annotated[str, Field(max_length=MAX_QUERY)] | None = None
    like: Key | None = Field(None, description="key of the item that was asked about, instead of a query")
    item: Key
    grade: Annotated[float, Field(ge=0, le=MAX_GRADE)] = Field(description="0 is no answer; more is better")
    source: Literal["page", "click"] = Field(
        "page", description="page: somebody judged; click: somebody followed a hit, which is kept once and says less"
    )
    sense: Annotated[str, Field(max_length=255)] | None = Field(None, description="in which it holds; any if left out")
    note: Annotated[str, Field(max_length=MAX_NOTE)] = ""


class JudgedShown(BaseModel):
    """What became of a judgment."""

    added: int
    replaced: int
    skipped: int
    unknown: list[str]


class JudgmentShown(BaseModel):
    """A judgment; either ``query`` or ``like`` is null."""

    query: str | None
    like: str | None
    sense: str | None = Field(description="null where it holds in any")
    item: str
    grade: float
    source: Literal["cli", "page", "click", "file"]
    time: str
    note: str | None


class JudgmentsShown(BaseModel):
    """Judgments, the latest first, and how many there are."""

    total: int
    judgments: list[JudgmentShown]


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
