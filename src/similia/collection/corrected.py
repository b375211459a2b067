"""Searching a sense whose scores are corrected for hubness: where the bias of each item comes from, and what it does.

The bias of an item follows from its vector and from the bank of queries that the database keeps. So it is computed for
new items alone, and the file of biases can be deleted at any time: it is made again, and searches answer the same.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from similia.collection import upkeep
from similia.collection.lifted import Lifted, raised, scale
from similia.collection.store import SenseRow
from similia.collection.store.corrections import CorrectionRow
from similia.collection.vectors import Allowed, Vectors, positions
from similia.collection.workspace import State
from similia.index.files import Column, open_verified, write
from similia.types import Bool, Float32, Hits, Int64

if TYPE_CHECKING:
    from similia.rank.hubness import HubnessCorrector

FORMAT = 1
KINDS = ("csls", "is", "nnn", "dualis")
"""The kinds whose bias of an item follows from its own vector and the bank, whatever other items there are."""
FEW = 2_000
"""So many items that may be found are all asked for at once."""
SHALLOW = (4, 100)
"""Raw scores are asked so many times as deep as there are places, and at least so deep."""
DEEPER = (1, 8, 64)
"""And so many times as deep as that, until the best after correction are proven."""


@dataclass(frozen=True, eq=False)
class Banks:
    """What a correction is learnt from: vectors (b, d), and the id of the item that each belongs to, -1 for none."""

    queries: Float32
    query_items: Int64
    others: Float32
    other_items: Int64

    def stored(self) -> bytes:
        """The form that the database keeps."""
        out = io.BytesIO()
        np.savez(out, **vars(self))
        return out.getvalue()

    @classmethod
    def read(cls, stored: bytes) -> Banks:
        """What `stored` gave."""
        with np.load(io.BytesIO(stored), allow_pickle=False) as found:
            return cls(found["queries"], found["query_items"], found["others"], found["other_items"])


@dataclass(frozen=True, eq=False)
class Biases:
    """The biases of one state of a sense: ids int64 (n,) ascending, and ``corrector`` over their places.

    ``checksum`` is that of the correction which they are of, ``lifted`` what was made of them for searches.
    """

    version: int
    checksum: int
    ids: Int64
    corrector: HubnessCorrector
    lifted: Lifted = field(default_factory=Lifted)

    @cached_property
    def subtracted(self) -> Float32:
        """What is subtracted from the scores of each item, float32 (n,)."""
        return np.float32(self.corrector.strength) * self.corrector.bias_

    @classmethod
    def of(
        cls,
        version: int,
        checksum: int,
        settings: Mapping[str, Any],
        ids: Int64,
        bias: Float32,
        lifted: Lifted | None = None,
    ) -> Biases:
        """From the bias of each item at strength 1, float32 (n,)."""
        from similia.rank.hubness import HubnessCorrector

        arrays: dict[str, npt.NDArray[Any]] = {"biases": bias[None], "bank": np.empty(0, np.int64)}
        corrector = HubnessCorrector.from_dict(settings, arrays)
        return cls(version, checksum, ids, corrector, Lifted() if lifted is None else lifted)


def fits(stored: CorrectionRow, row: SenseRow) -> bool:
    """Whether a correction is one that this version knows, of the vectors that the sense has."""
    told = stored.settings
    return (
        told.get("format") == FORMAT
        and told["corrector"]["kind"] in KINDS
        and (told["fingerprint"], told["dimension"]) == (row.fingerprint, row.dimension)
    )


def left_out(row: SenseRow) -> str:
    """What to say where a correction does not fit."""
    return (
        f"the correction of sense {row.name!r} is of other vectors, or of a later version of Similia, and is left out: "
        "fit it again"
    )


def path_of(folder: Path, row: SenseRow) -> Path:
    """The file for the biases of a sense."""
    return folder / "derived" / f"correction-{row.id}"


def biases_of(state: State, row: SenseRow) -> tuple[Biases | None, str]:
    """The biases of a sense in this state; None where scores are not corrected, and why if they should be.

    Raises:
        CollectionDamaged: what was asked for is not as it was written, and there is no file.
    """
    stored = state.store.correction(row.name)
    if stored is None:
        return None, ""
    if not fits(stored, row):
        return None, left_out(row)
    known: Biases | None = state.space.remembered(("correction", row.id))
    if known is None or known.checksum != stored.checksum or known.version > state.version:
        known = _from_file(state, row, stored)
    if known is None or known.version != state.version:
        known = _brought(state, row, stored, known)
    state.space.remember(("correction", row.id), known)
    return known, ""


def learnt(settings: Mapping[str, Any], banks: Banks, ids: Int64, vectors: Vectors) -> Float32:
    """The bias at strength 1 of some items, float32 (m,); ``ids`` ascending."""
    from similia.rank.hubness import HubnessCorrector
    from similia.rank.hubness.corrector import DUAL

    bias = np.empty(ids.size, np.float32)
    dual = settings["kind"] in DUAL
    for start in range(0, ids.size, upkeep.CHUNK):
        part = ids[start : start + upkeep.CHUNK]
        corrector = HubnessCorrector.from_dict(settings).fit(
            banks.queries,
            vectors.of(part),
            banks.others if dual else None,
            query_pairs=positions(part, banks.query_items),
            gallery_pairs=positions(part, banks.other_items) if dual else None,
        )
        bias[start : start + part.size] = corrector.bias_
    return bias


def ids_of(vectors: Vectors) -> Int64:
    """The ids of all items that have a vector, ascending."""
    parts = [part.ids if part.alive is None else part.ids[part.alive] for part in vectors.parts]
    return np.sort(np.concatenate(parts)) if len(parts) > 1 else np.asarray(parts[0], np.int64)


def keep(state: State, row: SenseRow, biases: Biases) -> None:
    """Write the file of biases; where it cannot be written they are made again by the next process."""
    header = {**upkeep.header(state.store, row, biases.version), "similia": "correction", "of": biases.checksum}
    columns = {"ids": Column.of(biases.ids), "biases": Column.of(biases.corrector.bias_)}
    with contextlib.suppress(OSError):
        write(path_of(state.store.folder, row), header, columns)


def _from_file(state: State, row: SenseRow, stored: CorrectionRow) -> Biases | None:
    """The biases that the file holds, if it is whole, of this sense and of this correction, and no later than this."""
    file = open_verified(path_of(state.store.folder, row))
    if file is None or not upkeep.belongs(file, state.store, row):
        return None
    header, ids, bias = file.header, file.arrays.get("ids"), file.arrays.get("biases")
    if (header.get("similia"), header.get("of")) != ("correction", stored.checksum) or ids is None or bias is None:
        return None
    if header["version"] > state.version or ids.ndim != 1 or ids.shape != bias.shape:
        return None
    return Biases.of(header["version"], stored.checksum, stored.settings["corrector"], np.array(ids), np.array(bias))


def _brought(state: State, row: SenseRow, stored: CorrectionRow, start: Biases | None) -> Biases:
    """The biases of this state: those of an earlier one, and new ones for items whose vectors were written since."""
    vectors, settings = state.vectors(row), stored.settings["corrector"]
    ids = ids_of(vectors)
    bias, known = np.empty(ids.size, np.float32), np.zeros(ids.size, np.bool_)
    if start is not None:
        written = [some for some, _ in state.store.vector_batches(row.name, since=start.version)]
        places = positions(start.ids, ids)
        known = places >= 0
        if written:
            known &= ~np.isin(ids, np.concatenate(written))
        bias[known] = start.corrector.bias_[places[known]]
    new = ids[~known]
    if new.size:
        whole = state.store.correction(row.name, bank=True)
        assert whole is not None
        bias[~known] = learnt(settings, Banks.read(whole.bank), new, vectors)
    lifted = None if start is None else start.lifted
    found = Biases.of(state.version, stored.checksum, settings, ids, bias, lifted)
    if start is None or new.size > upkeep.SLACK:
        keep(state, row, found)
    return found


def nearest_items(
    state: State,
    row: SenseRow,
    queries: Float32,
    k: int,
    *,
    allowed: Allowed | None = None,
    without: int | Int64 | None = None,
    recall: float | None = None,
    deep: bool = True,
) -> tuple[Hits, str]:
    """The k items of the highest score to each query: the cosine, corrected where the sense is.

    Args:
        state: of the collection.
        row: the sense.
        queries: (q, d), or (d,) for one.
        k: the most hits.
        allowed: as in `Vectors.search`, like what follows.
        without: ids that may not be found.
        recall: the share of the nearest that is to be expected.
        deep: ask deeper where the k best after correction are not proven; else the first, shallow pool has to do,
            which is enough for what is fused with another ranking.

    Returns:
        hits, and what to note, "" for nothing.
    """
    vectors = state.vectors(row)
    biases, note = biases_of(state, row)
    if biases is None:
        return vectors.search(queries, k, allowed=allowed, without=without, recall=recall), note
    hits, proven = corrected(vectors, biases, queries, k, allowed=allowed, without=without, recall=recall, deep=deep)
    if deep and not proven.all():
        depth = min(depths(k)[-1], len(vectors))
        note = f"corrected for hubness among the {depth:,} nearest: others may be missing"
    return hits, note


def corrected(
    vectors: Vectors,
    biases: Biases,
    queries: Float32,
    k: int,
    *,
    allowed: Allowed | None = None,
    without: int | Int64 | None = None,
    recall: float | None = None,
    deep: bool = True,
) -> tuple[Hits, Bool]:
    """The hits of `nearest_items`, and for which queries they are proven: bool (q,)."""
    batch = np.atleast_2d(queries)
    k = min(k, len(vectors))
    hits, proven = Hits.empty(len(batch), max(k, 0)), np.zeros(len(batch), np.bool_)
    if k < 1 or not len(batch):
        return hits, ~proven
    most = len(vectors) if allowed is None else min(len(vectors), max(k, allowed.ids.size))
    own = None if without is None else np.broadcast_to(np.reshape(without, -1), (len(batch),))
    if most > FEW and biases.lifted.due(vectors, len(batch)):
        table = biases.lifted.table(vectors, biases.ids, biases.subtracted)
        found = table.search(raised(batch), k, allowed=allowed, without=without, recall=recall)
        return Hits(found.ids, np.float32(scale()) * found.scores), ~proven
    left = np.arange(len(batch))
    for wanted in depths(k) if deep else depths(k)[:1]:
        depth = most if most <= FEW else min(most, wanted)
        excluded = None if own is None else own[left]
        found = vectors.search(batch[left], depth, allowed=allowed, without=excluded, recall=recall)
        best, sure = biases.corrector.correct(Hits(places_in(biases.ids, found.ids), found.scores), k)
        sure |= depth == most
        hits.ids[left] = np.where(best.ids >= 0, biases.ids[np.maximum(best.ids, 0)], -1)
        hits.scores[left] = best.scores
        proven[left] = sure
        left = left[~sure]
        if not left.size:
            break
    return hits, proven


def depths(k: int) -> list[int]:
    """How deep raw scores are asked for k places, in turn."""
    least = max(SHALLOW[0] * k, SHALLOW[1])
    return [times * least for times in DEEPER]


def places_in(ids: Int64, found: Int64) -> Int64:
    """The places of found ids (q, k) among ``ids``, -1 for none."""
    return positions(ids, found.reshape(-1)).reshape(found.shape)
