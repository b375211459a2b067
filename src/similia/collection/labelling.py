"""Label: each item gets one of the classes that a user describes, without training.

The keywords of a class find items, and the mean of those is the class (Lbl2TransformerVec; Schopf, Braun and Matthes,
NLPIR 2022); see `similia.classify.SeededPrototypes`.

A file of classes holds one class a line: ``name``, or ``name: keyword, keyword``. Empty lines and lines that begin
with ``#`` say nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from similia.collection.definition import Definition
from similia.collection.showing import Sheet, Shown
from similia.collection.tables import TypedColumn, jsonable, to_arrow, to_pandas, to_polars, typed
from similia.collection.workspace import Workspace
from similia.errors import InputError
from similia.progress import bar
from similia.types import Float32

Classes = str | os.PathLike[str] | Sequence[str] | Mapping[str, Sequence[str]]
BATCH = 4_096


@dataclass(frozen=True, eq=False)
class Labels(Shown):
    """The class of each item.

    Attributes:
        keys: of the items.
        labels: the class of each.
        scores: float32 (n, classes), cosine to each class.
        confidence: float32 (n,) in (0, 1]: the share of the chosen class in a softmax of the scores.
        classes: the names, in the order of the columns of ``scores``.
        seconds: how long it took.
        saved: the field that the labels were written to, or None.
    """

    keys: list[str]
    labels: list[str]
    scores: Float32
    confidence: Float32
    classes: tuple[str, ...]
    sense: str = "topic"
    seconds: float = 0.0
    saved: str | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def counts(self) -> dict[str, int]:
        """How many items each class got."""
        found = dict.fromkeys(self.classes, 0)
        for label in self.labels:
            found[label] += 1
        return found

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dict an item: ``_key``, ``label``, ``confidence``, and ``scores`` by class."""
        return [
            {
                "_key": key,
                "label": label,
                "confidence": float(sure),
                "scores": dict(zip(self.classes, map(float, row), strict=True)),
            }
            for key, label, sure, row in zip(self.keys, self.labels, self.confidence, self.scores, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        names = ("sense", "classes", "seconds", "saved")
        said = {name: jsonable(getattr(self, name)) for name in names}
        return {**said, "counts": self.counts(), "labels": self.to_dicts()}

    def _columns(self) -> dict[str, TypedColumn]:
        scores = {f"score {name}": typed("number", self.scores[:, c].tolist()) for c, name in enumerate(self.classes)}
        return {
            "_key": typed("text", self.keys),
            "label": typed("text", self.labels),
            "confidence": typed("number", self.confidence.tolist()),
            **scores,
        }

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table``: ``_key``, ``label``, ``confidence`` and one score column a class."""
        return to_arrow(self._columns())

    def to_pandas(self) -> Any:
        """The same as a ``pandas.DataFrame``."""
        return to_pandas(self._columns())

    def to_polars(self) -> Any:
        """The same as a ``polars.DataFrame``."""
        return to_polars(self._columns())

    def _sheets(self) -> list[Sheet]:
        sure: dict[str, list[int]] = {name: [] for name in self.classes}
        for place, label in enumerate(self.labels):
            sure[label].append(place)
        rows = []
        for name, places in sure.items():
            best = max(places, key=lambda place: self.confidence[place], default=None)
            mean = float(np.mean(self.confidence[places])) if places else None
            rows.append([name, len(places), mean, None if best is None else self.keys[best]])
        saved = f" · written to the field {self.saved}" if self.saved else ""
        note = f"{len(self):,} items · sense {self.sense} · {self.seconds:.2f} s{saved}"
        return [Sheet(("label", "items#", "mean confidence#", "surest item"), rows, note=note)]

    def __repr__(self) -> str:
        return str(self)


def read_classes(classes: Classes) -> dict[str, tuple[str, ...]]:
    """Class name -> keywords, from a file, lines of one, or a mapping.

    Raises:
        InputError: there is no such file, no class, a name twice, or a class without keywords; names the class.

    Examples:
        >>> read_classes(["sound: music, voices", "records"])
        {'sound': ('music', 'voices'), 'records': ('records',)}
    """
    from similia.classify import check_classes, parse_classes

    if isinstance(classes, Mapping):
        return check_classes(classes)
    if isinstance(classes, (str, os.PathLike)):
        path = Path(classes).expanduser()
        try:
            lines = path.read_text("utf-8-sig").splitlines()
        except OSError as error:
            raise InputError(
                f"{path}: the file of classes cannot be read ({error.strerror}); it holds one class a line, such as "
                "'audio: music, speech'"
            ) from None
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: byte {error.start} is not UTF-8; save the file of classes as UTF-8") from None
        return parse_classes(lines)
    return parse_classes(classes)


def label(space: Workspace, classes: Classes, *, sense: str, save: str | None, progress: bool | None) -> Labels:
    """See `similia.collection.Collection.label`."""
    from similia.classify import SeededPrototypes, encode_classes

    started = time.perf_counter()
    described = read_classes(classes)
    with space.reading() as state:
        row = state.ready(sense)
        if save is not None:
            _check_field(save, state.fields, [Definition.read(row.definition) for row in state.senses.values()])
        encoder = space.encoder_of(row)
        if encoder is None:
            raise InputError(
                f"sense {sense!r} has vectors that were given and no encoder for keywords: name the encoder when "
                "vectors are added, or label in another sense"
            )
        ids, vectors = state.vectors(row).all()
        if not ids.size:
            raise InputError(f"collection {space.name!r} has no items to label")
        names, seeds = encode_classes(described, lambda words: encoder.encode(words, side="query").vectors)
        items = np.asarray(vectors, np.float32)
        found = SeededPrototypes().fit(items, list(seeds), names=names).predict(items)
        labels = [names[number] for number in found.labels.tolist()]
        keys = state.store.keys(ids)
    if save is not None:
        _save(space, keys, labels, save, sense, described, progress)
    return Labels(keys, labels, found.scores, found.confidence, names, sense, time.perf_counter() - started, save)


def _check_field(name: str, fields: Mapping[str, str], senses: Sequence[Definition]) -> None:
    if not name.strip() or name.startswith("_"):
        raise InputError(f"{name!r} cannot be the field for labels: take a name that does not begin with _")
    if fields.get(name, "category") not in ("text", "category"):
        raise InputError(f"field {name!r} is there and of type {fields[name]}: take another name for the labels")
    if any(name in definition.fields for definition in senses):
        raise InputError(f"field {name!r} is read by a sense, and labels would replace it: take another name")


def _save(
    space: Workspace,
    keys: Sequence[str],
    labels: Sequence[str],
    name: str,
    sense: str,
    classes: Mapping[str, Sequence[str]],
    progress: bool | None,
) -> None:
    """Write the labels to a field, in one transaction; items that were deleted meanwhile are left out."""
    arguments = {"save": name, "sense": sense, "classes": {key: list(words) for key, words in classes.items()}}
    store = space.store
    with (
        store.change("label", arguments) as change,
        bar("saving", len(keys), show=progress) as shown,
        change.transaction(),
    ):
        change.set_fields({name: "category"})
        for start in range(0, len(keys), BATCH):
            ids = store.ids(keys[start : start + BATCH])
            there = np.flatnonzero(ids >= 0)
            change.put_fields(ids[there], {name: [labels[start + place] for place in there.tolist()]})
            shown.advance(ids.size)
