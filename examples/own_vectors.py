"""Exact search over vectors of your own, and two rankings fused, with the rooms alone."""

import numpy as np

from similia.index import ExactIndex
from similia.rank import fuse

rng = np.random.default_rng(0)
items = rng.standard_normal((1000, 64)).astype(np.float32)
queries = items[:3] + 0.3 * rng.standard_normal((3, 64)).astype(np.float32)

by_cosine = ExactIndex(items).search(queries, k=5)
by_distance = ExactIndex(items, metric="l2").search(queries, k=5)
together = fuse([by_cosine, by_distance], k=5)

for ids, scores in together:
    print(ids.tolist(), np.round(scores, 4).tolist())
