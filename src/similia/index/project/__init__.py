"""Project: shorter vectors that keep inner products, for a first look at many items.

`fit_pca` sees the items only; `fit_leanvec` also sees queries, which may come from another distribution, and keeps what
they ask for. Both give a `Projection`: one map for items, one for queries, and scores that estimate the similarity of
the original vectors. How much of it is lost is `relative_loss`.

    >>> import numpy as np
    >>> items = np.random.default_rng(0).normal(size=(500, 8)) * [9, 8, 7, 6, 1, 1, 1, 1]
    >>> projection = fit_pca(items, 4)
    >>> projection.items(items).shape
    (500, 4)
    >>> relative_loss(projection, items, items) < 0.05
    True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.index.project.leanvec import fit_leanvec as fit_leanvec
    from similia.index.project.leanvec import relative_loss as relative_loss
    from similia.index.project.pca import fit_pca as fit_pca
    from similia.index.project.projection import Projection as Projection

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Projection": ".projection",
        "fit_leanvec": ".leanvec",
        "fit_pca": ".pca",
        "relative_loss": ".leanvec",
    },
)
