"""All that a search reads of an index, as plain arrays that can be written down and mapped again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from similia.index.graph.build import Graph
from similia.index.graph.prune import Int32
from similia.types import Bool, Bytes, Float32, Int64


@dataclass(frozen=True, eq=False)
class State:
    """Arrays by node; a node is an item's place in memory, near those of its neighbours.

    Attributes:
        order: int64 (n,), the position of each node; no two are equal.
        codes, squares, lifts: as `Coder.items` gives them.
        links: int32 (n, degree), a row filled up with the node itself.
        seeds: int32 (s,), the nodes from which walks start.
        alive: bool (n,), False for what was removed.
        halves: what the walk subtracts, the codes' own memory as float32 (n, width / 4).
        seed_codes, seed_halves: those of the seeds, one after another.
    """

    order: Int64
    codes: Bytes
    squares: Float32
    lifts: Float32
    links: Int32
    seeds: Int32
    alive: Bool
    saved: ClassVar = ("order", "codes", "squares", "lifts", "links", "seeds", "alive")
    halves: Float32 = field(init=False)
    seed_codes: Bytes = field(init=False)
    seed_halves: Float32 = field(init=False)

    def __post_init__(self) -> None:
        seed_codes = self.codes[self.seeds]
        object.__setattr__(self, "halves", self.codes.view(np.float32))
        object.__setattr__(self, "seed_codes", seed_codes)
        object.__setattr__(self, "seed_halves", seed_codes.view(np.float32))

    def __len__(self) -> int:
        return len(self.order)

    @classmethod
    def of(cls, graph: Graph, positions: Int64) -> State:
        """The state after building a graph of items at these positions."""
        alive = np.ones(len(positions), np.bool_)
        return cls(positions[graph.order], graph.codes, graph.squares, graph.lifts, graph.links, graph.seeds, alive)

    def nodes(self, count: int) -> Int64:
        """The node of each of ``count`` positions, -1 where there is none."""
        nodes = np.full(count, -1, np.int64)
        nodes[self.order] = np.arange(len(self))
        return nodes

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All that cannot be computed again."""
        return {name: getattr(self, name) for name in self.saved}

    def own(self) -> State:
        """With arrays that may be written to."""
        if all(array.flags.writeable for array in self.arrays().values()):
            return self
        return State(**{name: np.array(array) for name, array in self.arrays().items()})

    def longer(self, positions: Int64, codes: Bytes, squares: Float32, lifts: Float32) -> State:
        """With nodes added at the end, which have no links yet."""
        n, more = len(self), len(codes)
        links = np.repeat(np.arange(n, n + more, dtype=np.int32)[:, None], self.links.shape[1], axis=1)
        return replace(
            self,
            order=np.concatenate((self.order, positions)),
            codes=np.concatenate((self.codes, codes)),
            squares=np.concatenate((self.squares, squares)),
            lifts=np.concatenate((self.lifts, lifts)),
            links=np.concatenate((self.links, links)),
            alive=np.concatenate((self.alive, np.ones(more, np.bool_))),
        )

    def compact(self) -> tuple[State, Int64]:
        """Without the removed nodes, and the old positions of what is left, rising."""
        kept = np.flatnonzero(self.alive)
        renumbered = np.full(len(self), -1, np.int32)
        renumbered[kept] = np.arange(len(kept))
        positions = np.sort(self.order[kept])
        links = renumbered[self.links[kept]]
        return State(
            np.searchsorted(positions, self.order[kept]).astype(np.int64),
            self.codes[kept],
            self.squares[kept],
            self.lifts[kept] if len(self.lifts) > 0 else self.lifts,
            links,
            renumbered[self.seeds],
            np.ones(len(kept), np.bool_),
        ), positions
