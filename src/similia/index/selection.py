"""Items that pass a filter, told once and searched among many times."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Bool, Int64

Made = TypeVar("Made")


class Selection:
    """A filter that several searches share, as ``where`` of an index; what an index derives from it is kept with it.

    A plain mask is read anew by every search. Where one predicate serves many queries, an index that is given a
    selection gathers what passes once.

    Args:
        mask: bool (n,), the items that take part.

    Raises:
        InputError: another type or shape.

    Examples:
        >>> from similia.index import ExactIndex
        >>> index, even = ExactIndex([[1, 0], [0, 1], [1, 1]]), Selection([True, False, True])
        >>> index.search([2, 0], k=1, where=even).ids.tolist(), index.search([0, 2], k=1, where=even).ids.tolist()
        ([[0]], [[2]])
    """

    def __init__(self, mask: npt.ArrayLike) -> None:
        given = np.array(mask)
        if given.ndim != 1 or (given.size and given.dtype != np.bool_):
            raise InputError(f"a selection is {given.dtype} {given.shape}; it must be bool (n,), one value an item")
        self.mask: Bool = given.astype(np.bool_, copy=False)
        self.mask.flags.writeable = False
        self._derived: weakref.WeakKeyDictionary[object, object] = weakref.WeakKeyDictionary()

    def __len__(self) -> int:
        return len(self.mask)

    def __repr__(self) -> str:
        return f"Selection({self.count:,} of {len(self):,})"

    @functools.cached_property
    def count(self) -> int:
        """How many pass."""
        return int(np.count_nonzero(self.mask))

    @functools.cached_property
    def rows(self) -> Int64:
        """The positions of those that pass, int64, rising."""
        return np.flatnonzero(self.mask).astype(np.int64, copy=False)

    def derived(self, owner: object, make: Callable[[], Made]) -> Made:
        """What ``make`` gives, made once for each ``owner`` and kept as long as that lives."""
        found = self._derived.get(owner)
        if found is None:
            found = self._derived[owner] = make()
        return found  # type: ignore[return-value]
