"""What a collection keeps for each of its senses, as a mapping by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from similia.collection.workspace import Workspace

Kept = TypeVar("Kept")


class BySense(Mapping[str, Kept]):
    """A mapping whose keys are the senses of a collection, as they are now."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    def _names(self) -> list[str]:
        with self._space.reading() as state:
            return list(state.senses)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __contains__(self, name: object) -> bool:
        return name in self._names()
