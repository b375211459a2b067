"""The geometry of a set of vectors: what decides which metric and which index will do for it.

Everything here is a number of a whole set, or of each vector among the others; all is computed in double precision, in
blocks. Sources: Levina and Bickel, *Maximum Likelihood Estimation of Intrinsic Dimension* (NIPS 2004), in the form of
Amsaleg et al. (KDD 2015); He, Kumar and Chang, *On the Difficulty of Nearest Neighbor Search* (ICML 2012); Davies and
Bouldin, *A Cluster Separation Measure* (IEEE TPAMI 1979).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.measure.vectors import TINY, norms
from similia.types import Int64, as_vectors

Distance: TypeAlias = Literal["l2", "cosine"]
Float64: TypeAlias = npt.NDArray[np.float64]

_VALUES = 2**22  # distances, or values of vectors, that are held at a time
_SAME = 1e-9  # relative: neighbours that differ by no more than rounding are equally far


def local_dimension(distances: npt.ArrayLike) -> Float64:
    """Local intrinsic dimensionality by maximum likelihood, from the distances to a point's nearest neighbours.

    ``-1 / mean(ln(r_i / r_k))`` over the k neighbours; those at distance 0 (duplicates) are left out. With few
    neighbours or many dimensions it is too low.

    Args:
        distances: (n, k), or (k,) of one point; to its k nearest neighbours without itself, in any order, at least 0.

    Returns:
        float64 (n,); NaN where fewer than two distances are above 0, or all of those are equal.

    Raises:
        InputError: another shape, no neighbours, or a distance that is negative, NaN or infinite.

    Examples:
        >>> local_dimension([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]]).round(4)
        array([1.4427,    nan])
    """
    given = np.atleast_2d(np.asarray(distances, np.float64))
    if given.ndim != 2 or given.shape[1] == 0:
        raise InputError(f"distances are {given.shape}; they must be (n, k) with k of at least 1")
    bad = ~((given >= 0) & np.isfinite(given)).all(axis=1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputError(f"distances: row {row} holds a negative, NaN or infinite one; they must be finite, at least 0")
    apart = given > 0
    farthest = given.max(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(apart, np.log(given / farthest), 0).sum(axis=1)
        mean = logs / apart.sum(axis=1)
        found: Float64 = np.where(mean < -_SAME, -1 / mean, np.nan)
    return found


def neighbour_distances(
    vectors: npt.ArrayLike, k: int, *, metric: Distance = "l2", rows: npt.ArrayLike | None = None
) -> Float64:
    """Distances to the k nearest other vectors, float64 (m, k), rising; those of duplicates are exactly 0.

    Args:
        vectors: (n, d).
        k: neighbours, from 1 to n - 1.
        metric: Euclidean distance, of the vectors or of them at length 1 ("cosine": sqrt(2 - 2 cos), so that values of
            different encoders can be compared). Zero vectors stay zero.
        rows: positions (m,) of the vectors whose neighbours are wanted; all if None.

    Raises:
        InputError: a k out of its range, positions that are not there, or unusable vectors.

    Examples:
        >>> neighbour_distances([[0.0], [1.0], [3.0]], 2)
        array([[1., 3.],
               [1., 2.],
               [2., 3.]])
    """
    points = _points(vectors, metric)
    if not 1 <= k < len(points):
        raise InputError(f"k is {k}, and there are {len(points)} vectors; k must be from 1 to one less than those")
    wanted = _rows(rows, len(points))
    found = np.empty((len(wanted), k))
    for start, squares in _blocks(points, wanted):
        at = wanted[start : start + len(squares)]
        near = np.argpartition(squares, k - 1, axis=1)[:, :k]
        found[start : start + len(at)] = _apart(points, at, near)
    return found


def relative_contrast(vectors: npt.ArrayLike, *, metric: Distance = "l2", rows: npt.ArrayLike | None = None) -> float:
    """How much nearer the nearest is than the average: mean distance / nearest distance, averaged over the points.

    Near 1, all is about equally far, and no index helps much. Distances of 0 (duplicates) are left out.

    Args:
        vectors: (n, d).
        metric: as in `neighbour_distances`.
        rows: positions (m,) of the points that are asked from; all if None.

    Returns:
        At least 1; NaN where all vectors are the same, or there is just one.

    Raises:
        InputError: positions that are not there, or unusable vectors.

    Examples:
        >>> round(relative_contrast([[0.0], [1.0], [3.0]]), 4)
        1.5833
    """
    points = _points(vectors, metric)
    wanted = _rows(rows, len(points))
    if len(points) < 2 or not len(wanted):
        return float("nan")
    ratios = []
    near = 1e-10 * np.square(points - points.mean(axis=0)).sum(axis=1).max()
    for start, squares in _blocks(points, wanted):
        at = wanted[start : start + len(squares)]
        # Of what is this near, rounding may hide that it is the same point: those pairs are looked at again.
        row, column = np.nonzero(squares <= near)
        squares[row, column] = _squares(points, at[row], column)
        distances = np.sqrt(np.maximum(squares, 0))
        distances[(distances == 0) | np.isinf(distances)] = np.nan
        some = ~np.isnan(distances).all(axis=1)
        ratios.append(np.nanmean(distances[some], axis=1) / np.nanmin(distances[some], axis=1))
    every = np.concatenate(ratios)
    return float(every.mean()) if len(every) else float("nan")


def relative_angle(vectors: npt.ArrayLike) -> float:
    """Mean angle, in degrees, between the vectors and their mean: small where they lie in a narrow cone.

    Zero vectors are left out; NaN where the mean is zero, or all are.

    Raises:
        InputError: unusable vectors.

    Examples:
        >>> round(relative_angle([[1, 0], [0, 1], [0, 0]]), 4)
        45.0
    """
    points = as_vectors(vectors).astype(np.float64)
    lengths = norms(points)
    points, lengths = points[lengths >= TINY], lengths[lengths >= TINY]
    if not len(points):
        return float("nan")
    mean = points.mean(axis=0)
    length = float(np.linalg.norm(mean))
    if length <= 1e-12 * lengths.mean():
        return float("nan")
    # The angle from both parts, since the cosine alone says little about small ones.
    along = points @ (mean / length)
    across = np.sqrt(np.maximum(lengths**2 - along**2, 0))
    near = across < 1e-4 * np.abs(along)
    rest = points[near] - along[near, None] * (mean / length)
    across[near] = np.sqrt(np.einsum("ij,ij->i", rest, rest))
    return float(np.degrees(np.arctan2(across, along)).mean())


def norm_variation(vectors: npt.ArrayLike) -> float:
    """Coefficient of variation of the Euclidean lengths: standard deviation / mean; NaN where all are zero.

    Raises:
        InputError: unusable vectors.

    Examples:
        >>> norm_variation([[1, 0], [0, 3]])
        0.5
    """
    lengths = norms(as_vectors(vectors))
    mean = float(lengths.mean()) if len(lengths) else 0.0
    return float(lengths.std() / mean) if mean > 0 else float("nan")


def davies_bouldin(vectors: npt.ArrayLike, labels: npt.ArrayLike, *, metric: Distance = "l2") -> float:
    """How badly classes are separated: lower is better; the mean over classes of ``max (S_i + S_j) / d(c_i, c_j)``.

    S is the mean distance of a class to its centre c. "l2" takes Euclidean distances; "cosine" takes 1 - cos, centres
    of the vectors at length 1, and leaves zero vectors out. 1 - cos goes with the square of the angle, so the two
    numbers are not of one scale.

    Args:
        vectors: (n, d).
        labels: (n,), the class of each.
        metric: "l2" or "cosine".

    Returns:
        At least 0; infinite where two centres coincide; NaN where there are fewer than two classes.

    Raises:
        InputError: not one label a vector, or unusable vectors.

    Examples:
        >>> davies_bouldin([[0.0], [2.0], [10.0], [12.0]], ["a", "a", "b", "b"])
        0.2
    """
    points, named = _points(vectors, metric), np.asarray(labels)
    if named.shape != (len(points),):
        raise InputError(f"labels are {named.shape}; they must be ({len(points)},), one a vector")
    if metric == "cosine":
        kept = norms(points) > 0.5
        points, named = points[kept], named[kept]
    classes, at = np.unique(named, return_inverse=True)
    count = len(classes)
    if count < 2:
        return float("nan")
    members = np.bincount(at, minlength=count)
    order = np.argsort(at, kind="stable")
    starts = np.concatenate(([0], np.cumsum(members)[:-1]))
    centres = np.add.reduceat(points[order], starts, axis=0) / members[:, None]
    if metric == "cosine":
        lengths = norms(centres)
        centres /= np.where(lengths > 1e-12, lengths, np.inf)[:, None]
        away = 1 - np.einsum("ij,ij->i", points, centres[at])
        between = 1 - np.clip(centres @ centres.T, -1, 1)
    else:
        gaps = points - centres[at]
        away = np.sqrt(np.einsum("ij,ij->i", gaps, gaps))
        between = np.stack([norms(centres - centre) for centre in centres])
    spread = np.bincount(at, weights=away, minlength=count) / members
    # Centres that differ by rounding coincide.
    between[between <= 1e-12 * max(1e-300, float(norms(points).max()))] = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(between > 0, (spread[:, None] + spread[None, :]) / between, np.inf)
    np.fill_diagonal(ratios, -np.inf)
    return float(ratios.max(axis=1).mean())


def _points(vectors: npt.ArrayLike, metric: Distance) -> Float64:
    """The vectors in double precision, at length 1 for "cosine"."""
    if metric not in get_args(Distance):
        raise InputError(f"metric {metric!r} is unknown; there are {', '.join(get_args(Distance))}")
    points: Float64 = as_vectors(vectors).astype(np.float64)
    if metric == "cosine":
        lengths = norms(points)
        points /= np.where(lengths >= TINY, lengths, np.inf)[:, None]
    return points


def _rows(rows: npt.ArrayLike | None, count: int) -> Int64:
    if rows is None:
        return np.arange(count, dtype=np.int64)
    wanted = np.asarray(rows)
    if wanted.ndim != 1 or (
        wanted.size and (wanted.dtype.kind not in "iu" or not 0 <= wanted.min() <= wanted.max() < count)
    ):
        raise InputError(f"rows must be whole numbers (m,) from 0 to {count - 1}, the positions of vectors")
    return wanted.astype(np.int64)


def _blocks(points: Float64, rows: Int64) -> Iterator[tuple[int, Float64]]:
    """Squared distances of some rows to all points, about the mean so that a common offset costs no digits.

    Of a point to itself they are infinite.
    """
    centred = points - points.mean(axis=0)
    squares = np.einsum("ij,ij->i", centred, centred)
    step = max(1, _VALUES // len(points))
    for start in range(0, len(rows), step):
        at = rows[start : start + step]
        found: Float64 = squares[at, None] + squares[None, :] - 2 * (centred[at] @ centred.T)
        found[np.arange(len(at)), at] = np.inf
        yield start, found


def _apart(points: Float64, rows: Int64, near: Int64) -> Float64:
    """Distances of each row to its near ones, from the differences themselves, sorted."""
    found = np.sqrt(_squares(points, np.repeat(rows, near.shape[1]), near.ravel())).reshape(near.shape)
    found.sort(axis=1)
    return found


def _squares(points: Float64, left: Int64, right: Int64) -> Float64:
    """Squared distances of pairs, float64 (m,), from the differences themselves."""
    found = np.empty(len(left))
    step = max(1, _VALUES // max(1, points.shape[1]))
    for start in range(0, len(left), step):
        pairs = slice(start, start + step)
        gaps = points[left[pairs]] - points[right[pairs]]
        found[pairs] = np.einsum("ij,ij->i", gaps, gaps)
    return found
