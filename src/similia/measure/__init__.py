"""Measure: how alike two things are, as pure functions of their representations. Higher is more similar.

Vectors: `cosine`, `dot`, `negative_l2`, and `normalise` to length 1. Edits: how alike two
revisions of one original are (`excision_score`), whatever most of the text looks like; more of them in
`similia.measure.edits`. Items of several vectors: `chamfer`, also called MaxSim. The geometry of a
set of vectors: `local_dimension`, `relative_contrast`, `davies_bouldin` and others. How unevenly items are found:
`hubness_report`, and the bias that evens it out: `sinkhorn_bias`. What a search found of the true
neighbours: `neighbour_recall`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.measure.edits import Region as Region
    from similia.measure.edits import excise as excise
    from similia.measure.edits import excision_score as excision_score
    from similia.measure.edits import regions as regions
    from similia.measure.geometry import davies_bouldin as davies_bouldin
    from similia.measure.geometry import local_dimension as local_dimension
    from similia.measure.geometry import neighbour_distances as neighbour_distances
    from similia.measure.geometry import norm_variation as norm_variation
    from similia.measure.geometry import relative_angle as relative_angle
    from similia.measure.geometry import relative_contrast as relative_contrast
    from similia.measure.granularity import aggregate as aggregate
    from similia.measure.granularity import combine as combine
    from similia.measure.granularity import two_way as two_way
    from similia.measure.hubness import Hubness as Hubness
    from similia.measure.hubness import HubnessReport as HubnessReport
    from similia.measure.hubness import hub_statistics as hub_statistics
    from similia.measure.hubness import hubness_report as hubness_report
    from similia.measure.hubness import k_occurrence as k_occurrence
    from similia.measure.hubness import occurrence_skewness as occurrence_skewness
    from similia.measure.multivectors import chamfer as chamfer
    from similia.measure.multivectors import chamfer_of as chamfer_of
    from similia.measure.neighbours import neighbour_recall as neighbour_recall
    from similia.measure.sinkhorn import sinkhorn_bias as sinkhorn_bias
    from similia.measure.sinkhorn import sinkhorn_potentials as sinkhorn_potentials
    from similia.measure.subspace import Subspace as Subspace
    from similia.measure.subspace import centred as centred
    from similia.measure.subspace import contrastive_subspace as contrastive_subspace
    from similia.measure.vectors import cosine as cosine
    from similia.measure.vectors import dot as dot
    from similia.measure.vectors import negative_l2 as negative_l2
    from similia.measure.vectors import normalise as normalise

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Hubness": ".hubness",
        "HubnessReport": ".hubness",
        "Region": ".edits",
        "Subspace": ".subspace",
        "aggregate": ".granularity",
        "centred": ".subspace",
        "chamfer": ".multivectors",
        "chamfer_of": ".multivectors",
        "combine": ".granularity",
        "contrastive_subspace": ".subspace",
        "cosine": ".vectors",
        "davies_bouldin": ".geometry",
        "dot": ".vectors",
        "excise": ".edits",
        "excision_score": ".edits",
        "hub_statistics": ".hubness",
        "hubness_report": ".hubness",
        "k_occurrence": ".hubness",
        "local_dimension": ".geometry",
        "negative_l2": ".vectors",
        "neighbour_distances": ".geometry",
        "neighbour_recall": ".neighbours",
        "norm_variation": ".geometry",
        "normalise": ".vectors",
        "occurrence_skewness": ".hubness",
        "regions": ".edits",
        "relative_angle": ".geometry",
        "relative_contrast": ".geometry",
        "sinkhorn_bias": ".sinkhorn",
        "sinkhorn_potentials": ".sinkhorn",
        "two_way": ".granularity",
    },
)
