"""Principal components: the best single map where queries are like the items (LeanVec-ID)."""

from __future__ import annotations

from typing import get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.exact import Metric
from similia.index.project.gram import SAMPLE, check_d, leading, moments, sampled, warn_if_flat
from similia.index.project.projection import Projection


def fit_pca(
    vectors: npt.ArrayLike, d: int, *, metric: Metric = "cosine", sample: int = SAMPLE, seed: int = 0
) -> Projection:
    """The d directions in which the vectors vary most, about their mean.

    Args:
        vectors: (n, D) of a floating type; may be a memory map.
        d: dimensions kept, at most D.
        metric: what scores will estimate; under cosine, vectors are brought to length 1 first.
        sample: at most this many vectors are looked at, in double precision.
        seed: decides which.

    Raises:
        InputError: a d above D or below 1, no vector, or a value that is NaN or infinite.

    Warns:
        RuntimeWarning: the vectors vary in fewer than d directions.

    Examples:
        >>> line = np.outer(np.arange(5.0), [3, 4])
        >>> np.abs(fit_pca(line, 1, metric="dot").item_map.T).round(3).tolist()
        [[0.6000000238418579, 0.800000011920929]]
    """
    if metric not in get_args(Metric):
        raise InputError(f"metric {metric!r} is unknown; there are {', '.join(get_args(Metric))}")
    chosen = sampled(vectors, sample, seed, "vectors")
    check_d(d, chosen.shape[1])
    found = moments(chosen, metric)
    values, axes = leading(found.gram, d)
    warn_if_flat(values, d, found.scale)
    kept = axes.astype(np.float32)
    return Projection(kept, kept, found.mean.astype(np.float32), metric)
