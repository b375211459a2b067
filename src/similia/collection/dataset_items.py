"""The documents of a public data set as the items of a collection, to be searched and measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia.errors import InputError

if TYPE_CHECKING:
    from similia.collection.collection import Collection
    from similia.evaluate.datasets import RetrievalDataset


def fill(
    collection: Collection, dataset: RetrievalDataset, *, encoder: str | None = None, progress: bool | None = None
) -> int:
    """Add the documents that the collection does not hold yet, and return how many those were.

    Args:
        collection: empty, or filled from the same data set before, perhaps in part.
        dataset: whose documents become items with the fields ``id``, the key, and ``text``.
        encoder: as in `similia.collection.Collection.add`.
        progress: as there.

    Raises:
        InputError: the collection holds other items, or was made with another encoder.
    """
    there = collection._space.store.ids(list(dataset.document_ids)) >= 0
    if len(collection) > int(there.sum()):
        raise InputError(
            f"{collection.path} holds other items than data set {dataset.name!r}; take another folder for it"
        )
    topic = collection.senses.get("topic")
    if topic is not None and encoder is not None and topic.encoder != encoder:
        raise InputError(f"{collection.path} was made with the encoder {topic.encoder!r}; take another folder for this")
    rows = [
        {"id": name, "text": text}
        for name, text, known in zip(dataset.document_ids, dataset.documents, there, strict=True)
        if not known
    ]
    if rows:
        collection.add(
            rows, key="id", text="text", schema={"id": "text", "text": "text"}, encoder=encoder, progress=progress
        )
    return len(rows)
