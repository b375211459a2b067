"""The two views of a hybrid search over a test collection, found as a collection of Similia finds them."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from similia.atlas.vectors import encode
from similia.collection.store import Store
from similia.encode import load
from similia.index import ExactIndex
from similia.rank import Background
from similia.types import Hits


@dataclass(frozen=True, eq=False)
class Views:
    """What each view found for q queries, best first; ids are positions of documents.

    Attributes:
        dense: cosine of the sentence encoder.
        text: BM25 of the full text.
        idf: for each query, ln(N / document frequency) of each of its distinct stems, ln(N) where no document has it.
        documents: N.
        mean, deviation: of the cosines of each query with all documents, float64 (q,).
    """

    dense: Hits
    text: Hits
    idf: list[list[float]]
    documents: int
    mean: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]


def find(
    documents: Sequence[str],
    queries: Sequence[str],
    depth: int,
    *,
    encoder: str = "minilm",
    progress: bool | None = None,
) -> Views:
    """Search ``documents`` for each query in both views, exactly, ``depth`` deep.

    Examples:
        >>> views = find(["a cat", "tax law", "a dog"], ["cats"], 3, encoder="hashing:64")
        >>> int(views.text.ids[0, 0]), views.documents
        (0, 3)
    """
    model = load(encoder)
    depth = min(depth, len(documents))
    vectors = encode(model, documents, progress=progress)
    asked = encode(model, queries, side="query", progress=progress)
    dense = ExactIndex(vectors).search(asked, depth)
    mean, deviation = Background.of(vectors).scores(asked)
    with tempfile.TemporaryDirectory() as folder, Store.create(Path(folder) / "collection") as store:
        keys = [str(position) for position in range(len(documents))]
        with store.change("add", {}) as change, change.transaction():
            change.set_fields({"text": "text"})
            change.put(keys, [{"text": text} for text in documents], vectors={})
        ids = store.ids(keys)
        with store.snapshot():
            found = [store.text_search(query, depth) for query in queries]
            counts = [store.term_statistics(query) for query in queries]
    stored = np.concatenate([hits.ids for hits in found])
    position = np.where(stored >= 0, np.searchsorted(ids, stored), -1)
    idf = [[math.log(total / max(count, 1)) for count in stems.values()] for total, stems in counts]
    return Views(
        dense, Hits(position, np.concatenate([hits.scores for hits in found])), idf, len(documents), mean, deviation
    )
