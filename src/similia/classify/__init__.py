"""Classify: label items without training, from a description of each class.

>>> import numpy as np
>>> from similia.classify import SeededPrototypes
>>> items = np.array([[1, 0], [0.9, 0.2], [0, 1], [0.1, 0.8]])
>>> SeededPrototypes(k=2).fit(items, [[[1, 0]], [[0, 1]]]).predict([[0.2, 0.5]]).labels.tolist()
[1]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.classify.chunks import encode_long as encode_long
    from similia.classify.chunks import pack_sentences as pack_sentences
    from similia.classify.keywords import check_classes as check_classes
    from similia.classify.keywords import encode_classes as encode_classes
    from similia.classify.keywords import parse_classes as parse_classes
    from similia.classify.outliers import inliers as inliers
    from similia.classify.outliers import local_outlier_factor as local_outlier_factor
    from similia.classify.prototypes import Prediction as Prediction
    from similia.classify.prototypes import SeededPrototypes as SeededPrototypes
    from similia.classify.prototypes import nearest as nearest

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Prediction": ".prototypes",
        "SeededPrototypes": ".prototypes",
        "check_classes": ".keywords",
        "encode_classes": ".keywords",
        "encode_long": ".chunks",
        "inliers": ".outliers",
        "local_outlier_factor": ".outliers",
        "nearest": ".prototypes",
        "pack_sentences": ".chunks",
        "parse_classes": ".keywords",
    },
)
