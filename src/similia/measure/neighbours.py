"""Lists of neighbours compared: how much of the true one another one holds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.errors import InputError


def neighbour_recall(found: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Recall at k: the share of the true neighbours that were found, over all queries; 1 where there are none.

    Args:
        found: ids (q, m), in any order; -1 is none.
        truth: ids (q, k); -1 is none, and no id stands twice in a row.

    Raises:
        InputError: no whole numbers, or not as many rows of both.

    Examples:
        >>> neighbour_recall([[1, 2, 3]], [[3, 4, -1]])
        0.5
    """
    ours, true = np.asarray(found), np.asarray(truth)
    if ours.ndim != 2 or true.ndim != 2 or len(ours) != len(true) or {ours.dtype.kind, true.dtype.kind} - {"i", "u"}:
        raise InputError(
            f"found is {ours.dtype} {ours.shape} and truth {true.dtype} {true.shape}; both must be whole numbers, "
            "a row a query"
        )
    wanted = true >= 0
    if not wanted.any():
        return 1.0
    most = max(int(ours.max(initial=0)), int(true.max())) + 1
    rows = np.arange(len(true), dtype=np.int64)[:, None] * most
    there = np.isin((true + rows)[wanted], (ours + rows)[ours >= 0])
    return float(there.mean())
