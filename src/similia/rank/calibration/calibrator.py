"""From scores to probabilities of relevance, learned from judgments."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import FingerprintMismatch, InputError
from similia.rank.calibration.adapter import Family, QueryCurve
from similia.rank.calibration.features import score_features
from similia.rank.calibration.inputs import Float64, as_features, as_labels, as_scores, sigmoid
from similia.rank.calibration.isotonic import IsotonicCurve
from similia.rank.calibration.platt import PlattCurve
from similia.rank.calibration.thresholds import keeps_recall, reaches_precision
from similia.types import Float32

Kind: TypeAlias = Literal["platt", "isotonic", "adapter"]
FORMAT = 1
"""Version of the stored form."""


class Calibrator:
    """Probabilities of relevance from scores; the order of a query's items stays as it is.

    - ``platt``: one logistic curve for all queries. Needs least judgments.
    - ``isotonic``: one rising curve of any form for all queries. Makes ties.
    - ``adapter``: a curve for each query, from features of it: those that you give (its vector, how selective its
      filter is), or else statistics of its list of scores (`score_features`). Only it can tell a query for which
      nothing is relevant from one whose scores are low by nature.

    Pairs that nobody judged are left out where their label is NaN. Whether unjudged hits are left out or taken as
    irrelevant is yours to say: judgments of pools (TREC) name what is irrelevant, others name only what is relevant,
    and leaving the rest out would then teach that everything is.

    Args:
        kind: one of the three.
        family: form of the adapter's curve: ``power``, ``linear``, ``sqrt`` or ``quadratic``.
        encoder: fingerprint of the encoder that made the scores; `check` compares it.
        seed: of the adapter's training; same seed, same result.
        **training: of the adapter: hidden, epochs, steps, rate, decay, batch, holdout; see `QueryCurve`.

    Raises:
        InputError: an unknown kind, or training options for a kind that has none.

    Source:
        See `PlattCurve`, `IsotonicCurve` and `QueryCurve`.

    Examples:
        >>> scores = [[0.9, 0.6, 0.2], [0.8, 0.3, 0.1]]
        >>> calibrator = Calibrator("platt").fit(scores, [[1, 1, 0], [1, 0, float("nan")]])
        >>> calibrator.transform([[0.9, 0.1, float("-inf")]]).round(1).tolist()
        [[0.8999999761581421, 0.20000000298023224, 0.0]]
    """

    def __init__(
        self, kind: Kind = "platt", *, family: Family = "power", encoder: str = "", seed: int = 0, **training: Any
    ) -> None:
        if kind not in get_args(Kind):
            raise InputError(f"kind {kind!r} is unknown; there are {', '.join(get_args(Kind))}")
        if training and kind != "adapter":
            raise InputError(f"kind {kind!r} takes no {', '.join(training)}; they are for kind 'adapter'")
        self.kind: Kind = kind
        self.encoder = encoder
        self.pairs_ = 0
        """Judged pairs that it was fitted to; 0 before."""
        self.relevant_ = 0.0
        """The sum of their labels."""
        self._own_features = False
        self._curve: PlattCurve | IsotonicCurve | QueryCurve
        if kind == "adapter":
            try:
                self._curve = QueryCurve(family, seed=seed, **training)
            except TypeError as error:
                raise InputError(f"the adapter has no such option ({error})") from None
        else:
            self._curve = PlattCurve() if kind == "platt" else IsotonicCurve()

    def fit(
        self,
        scores: npt.ArrayLike,
        labels: npt.ArrayLike,
        features: npt.ArrayLike | None = None,
        *,
        groups: npt.ArrayLike | None = None,
    ) -> Calibrator:
        """Learn from judged pairs.

        Args:
            scores: (q, k), -inf at empty places.
            labels: (q, k) in [0, 1]; NaN where not judged.
            features: (q, f) of the queries, for the adapter; statistics of the list where None.
            groups: (q,) the topic of each query, for the adapter; topics are held out whole.

        Returns:
            The calibrator itself.

        Raises:
            InputError: shapes that do not fit, NaN among scores, no judged pair, features for another kind.
        """
        values = as_scores(scores)
        truth = as_labels(labels, values)
        known = ~np.isnan(truth)
        if not known.any():
            raise InputError("no pair is judged, so there is nothing to learn from")
        if isinstance(self._curve, QueryCurve):
            self._own_features = features is not None
            topics = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)
            if topics is not None and topics.shape != (len(values),):
                raise InputError(f"groups has shape {topics.shape}; expected ({len(values)},), one a query")
            self._curve.fit(values, truth, self._features(values, features), topics)
        else:
            self._refuse(features)
            self._curve.fit(values[known], truth[known])
        self.pairs_, self.relevant_ = int(known.sum()), float(truth[known].sum())
        return self

    def transform(self, scores: npt.ArrayLike, features: npt.ArrayLike | None = None) -> Float32:
        """Return the probability of each hit: float32 (q, k) in [0, 1], 0 where the score is -inf.

        Raises:
            InputError: not fitted, NaN among scores, or features that do not fit.
        """
        return sigmoid(self.log_odds(scores, features)).astype(np.float32)

    def log_odds(self, scores: npt.ArrayLike, features: npt.ArrayLike | None = None) -> Float64:
        """Return log(p / (1 - p)) of each hit, float64 (q, k): finer than probabilities, which may round to a tie.

        -inf where the score is -inf. Raises as `transform`.
        """
        if not self.pairs_:
            raise InputError("the calibrator is not fitted; call fit with judged pairs first")
        values = as_scores(scores)
        if isinstance(self._curve, QueryCurve):
            return self._curve.log_odds(values, self._features(values, features))
        self._refuse(features)
        found = values > -np.inf
        odds = np.full(values.shape, -np.inf)
        odds[found] = self._curve.log_odds(values[found])
        return odds

    def threshold_for(
        self,
        scores: npt.ArrayLike,
        labels: npt.ArrayLike,
        features: npt.ArrayLike | None = None,
        *,
        recall: float | None = None,
        precision: float | None = None,
    ) -> float:
        """Return the one threshold of probability that serves a purpose, chosen on judged pairs not fitted to.

        Args:
            scores: (q, k) of validation queries.
            labels: (q, k), above 0 where relevant, NaN where not judged.
            features: as in `transform`.
            recall: the share of the relevant pairs in the lists to keep; the highest threshold that keeps it.
            precision: the share of relevant pairs among the kept; the lowest threshold that has it.

        Raises:
            InputError: not exactly one of recall and precision, none relevant, or a precision that is not reached.

        Examples:
            >>> scores, labels = [[0.9, 0.6, 0.2], [0.8, 0.3, 0.1]], [[1, 1, 0], [1, 0, 0]]
            >>> calibrator = Calibrator("platt").fit(scores, labels)
            >>> threshold = calibrator.threshold_for(scores, labels, recall=0.95)
            >>> (calibrator.transform(scores) >= threshold).tolist()
            [[True, True, False], [True, False, False]]
        """
        if (recall is None) == (precision is None):
            raise InputError("give either recall or precision, the share that the threshold is to serve")
        values = self.transform(scores, features)
        truth = as_labels(labels, as_scores(scores))
        known = ~np.isnan(truth)
        judged, relevant = values[known].astype(np.float64), truth[known]
        if recall is not None:
            return keeps_recall(judged, relevant, recall)
        return reaches_precision(judged, relevant, precision if precision is not None else 1.0)

    def check(self, fingerprint: str) -> None:
        """Refuse scores of another encoder than that of the calibrator; one that names none takes all.

        Raises:
            FingerprintMismatch: the two differ.
        """
        if self.encoder and fingerprint != self.encoder:
            raise FingerprintMismatch(
                f"the calibrator was fitted to scores of encoder {self.encoder[:12]} and these are of "
                f"{fingerprint[:12]}; fit it again"
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "encoder": self.encoder,
            "pairs": self.pairs_,
            "relevant": self.relevant_,
            "own features": self._own_features,
            "curve": self._curve.to_dict() if self.pairs_ else None,
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Calibrator:
        """Read what `to_dict` wrote.

        Raises:
            InputError: it is something else, or of another version.

        Examples:
            >>> calibrator = Calibrator("isotonic").fit([[0.9, 0.1]], [[1, 0]])
            >>> Calibrator.from_dict(calibrator.to_dict()).transform([[0.5]]).tolist()
            [[0.5]]
        """
        try:
            if stored["format"] != FORMAT:
                raise InputError(f"the calibrator is of format {stored['format']}; this version reads format {FORMAT}")
            made = cls(stored["kind"], encoder=str(stored["encoder"]))
            made.pairs_, made.relevant_ = int(stored["pairs"]), float(stored["relevant"])
            made._own_features = bool(stored["own features"])
            if made.pairs_:
                made._curve = type(made._curve).from_dict(stored["curve"])
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"this is no stored calibrator ({type(error).__name__}: {error})") from None
        return made

    def _features(self, scores: Float64, features: npt.ArrayLike | None) -> Float64:
        if (features is not None) != self._own_features:
            known = "features of its own" if self._own_features else "statistics of the list (give no features)"
            raise InputError(f"the adapter was fitted to {known}; it needs the same here")
        return score_features(scores) if features is None else as_features(features, len(scores))

    def _refuse(self, features: npt.ArrayLike | None) -> None:
        if features is not None:
            raise InputError(f"kind {self.kind!r} takes no features; kind 'adapter' does")
