"""Cosine Adapter: from score to log-odds by a curve whose parameters a small network reads off the query.

The scores of one query lie above those of another, so a threshold that cuts both well is one of the query's own. The
network sees features of the query once; the curve rises, so the order of a query's items never changes.
"""

from __future__ import annotations

import base64
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from similia.encode.adam import Adam
from similia.errors import InputError
from similia.rank.calibration.inputs import Float64, sigmoid
from similia.types import Bool, Int64

Family: TypeAlias = Literal["linear", "sqrt", "quadratic", "power"]
Parameters: TypeAlias = dict[str, Float64]
EXPONENT = {"linear": 1.0, "sqrt": 0.5, "quadratic": 2.0}
LEAST = 1e-6
"""What the slope and the exponent are above 0 at least, so that the curve rises strictly."""
UNIT = float(np.log(np.expm1(1.0)))
"""softplus(UNIT) = 1: where slope and exponent start."""


class QueryCurve:
    """log-odds = a x^c + b, where (a, b, c) = network(features of the query), a > 0 and c > 0.

    x is softplus((score - mean) / deviation): positive and strictly rising for every score, where cutting at 0 would
    tie what lies below. The network has one hidden layer (tanh); it is trained with binary cross-entropy over the
    judged pairs by Adam, with weights drawn towards 0, and the epoch that is best on queries held out is kept.

    Args:
        family: ``power``, or with a fixed exponent c: ``linear`` 1, ``sqrt`` 1/2, ``quadratic`` 2.
        hidden: units of the hidden layer.
        epochs: how often each query is seen.
        steps: how many steps there are at least; few queries are seen more often for it.
        rate: the size of a step.
        decay: how strongly weights are drawn towards 0.
        batch: queries a step.
        holdout: the share of the queries, or of their groups, that is held out to choose the epoch; 0 for the last.
        seed: same seed, same curve.

    Source:
        Rossi, Lin, Liu, Yang, Lee, Magnani and Liao, Relevance Filtering for Embedding-based Retrieval (CIKM 2024). The
        softplus, the standardised score and the early stop are ours.
    """

    def __init__(
        self,
        family: Family = "power",
        *,
        hidden: int = 64,
        epochs: int = 60,
        steps: int = 1_000,
        rate: float = 1e-3,
        decay: float = 1e-4,
        batch: int = 64,
        holdout: float = 0.15,
        seed: int = 0,
    ) -> None:
        if family not in get_args(Family):
            raise InputError(f"family {family!r} is unknown; there are {', '.join(get_args(Family))}")
        if min(hidden, epochs, steps, batch) < 1:
            raise InputError(f"hidden {hidden}, epochs {epochs}, steps {steps} and batch {batch} must be at least 1")
        if not (rate > 0 and decay >= 0 and 0 <= holdout < 1):
            raise InputError(f"rate {rate} must be above 0, decay {decay} at least 0, holdout {holdout} in [0, 1)")
        self.family: Family = family
        self.hidden, self.epochs, self.rate, self.decay = hidden, epochs, rate, decay
        self.steps, self.batch, self.holdout, self.seed = steps, batch, holdout, seed
        self.mean, self.deviation = 0.0, 1.0
        self.parameters: Parameters = {}
        self.centre, self.scale = np.zeros(0), np.ones(0)

    def fit(self, scores: Float64, labels: Float64, features: Float64, groups: Int64 | None = None) -> QueryCurve:
        """Fit to scores (q, k) with -inf and labels (q, k) with NaN where there is nothing to learn from.

        ``groups`` (q,) names the topic of each query; queries of one topic are held out together.
        """
        known = ~np.isnan(labels)
        self.mean, spread = float(scores[known].mean()), float(scores[known].std())
        self.deviation = spread if spread > 0 else 1.0
        self.centre, spreads = features.mean(axis=0), features.std(axis=0)
        self.scale = np.where(spreads > 1e-9, spreads, 1.0)
        x, standard = self._inputs(scores, features)
        random = np.random.default_rng(self.seed)
        parameters = start(standard.shape[1], self.hidden, float(labels[known].mean()), random)
        optimisers = {name: Adam(value, self.rate) for name, value in parameters.items()}
        train, held = self._split(known, groups, random)
        best, kept = np.inf, {name: value.copy() for name, value in parameters.items()}
        a_round = -(-train.size // self.batch)
        for _ in range(max(self.epochs, -(-self.steps // max(a_round, 1)))):
            order = random.permutation(train)
            for begin in range(0, order.size, self.batch):
                rows = order[begin : begin + self.batch]
                _, slopes = loss(parameters, x[rows], labels[rows], standard[rows], self.family, self.decay)
                for name, optimiser in optimisers.items():
                    optimiser.step(slopes[name])
            if held.size:
                now, _ = loss(parameters, x[held], labels[held], standard[held], self.family, 0.0)
                if now < best:
                    best, kept = now, {name: value.copy() for name, value in parameters.items()}
        # Rounded once, so that what is stored and read again gives the very same probabilities.
        chosen = kept if held.size else parameters
        self.parameters = {name: value.astype(np.float32).astype(np.float64) for name, value in chosen.items()}
        return self

    def log_odds(self, scores: Float64, features: Float64) -> Float64:
        """The log-odds of scores (q, k), -inf at empty places."""
        if features.shape[1] != self.centre.size:
            raise InputError(f"there are {features.shape[1]} features a query; the adapter knows {self.centre.size}")
        x, standard = self._inputs(scores, features)
        slope, offset, exponent, _ = curve(self.parameters, standard, self.family)
        odds: Float64 = np.where(scores > -np.inf, slope * x**exponent + offset, -np.inf)
        return odds

    def _inputs(self, scores: Float64, features: Float64) -> tuple[Float64, Float64]:
        """The x of each score, that of the mean at empty places, and standardised features."""
        z = (np.where(scores > -np.inf, scores, self.mean) - self.mean) / self.deviation
        return np.logaddexp(0.0, z), (features - self.centre) / self.scale

    def _split(self, known: Bool, groups: Int64 | None, random: np.random.Generator) -> tuple[Int64, Int64]:
        """Queries to train on and queries to choose the epoch by; those without a judged pair are in neither."""
        useful = np.flatnonzero(known.any(axis=1))
        topics, topic = np.unique(useful if groups is None else groups[useful], return_inverse=True)
        count = int(topics.size * self.holdout)
        held = np.isin(topic, random.permutation(topics.size)[:count])
        return useful[~held], useful[held]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; arrays as base64 of float32."""
        return {
            "family": self.family,
            "mean": self.mean,
            "deviation": self.deviation,
            "centre": self.centre.tolist(),
            "scale": self.scale.tolist(),
            "shapes": {name: list(value.shape) for name, value in self.parameters.items()},
            "parameters": {
                name: base64.b64encode(value.astype("<f4").tobytes()).decode("ascii")
                for name, value in self.parameters.items()
            },
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> QueryCurve:
        """Read what `to_dict` wrote; how it was trained is not part of it."""
        made = cls(stored["family"])
        made.mean, made.deviation = float(stored["mean"]), float(stored["deviation"])
        made.centre, made.scale = np.array(stored["centre"], float), np.array(stored["scale"], float)
        made.parameters = {
            name: np.frombuffer(base64.b64decode(text), "<f4").astype(np.float64).reshape(stored["shapes"][name])
            for name, text in stored["parameters"].items()
        }
        made.hidden = len(made.parameters["inner offset"])
        return made


def start(features: int, hidden: int, prior: float, random: np.random.Generator) -> Parameters:
    """First parameters: a = c = 1 for every query, and b so that the mean probability is about the prior."""
    share = min(max(prior, 1e-4), 1 - 1e-4)
    return {
        "inner": random.normal(size=(features, hidden)) / np.sqrt(features),
        "inner offset": np.zeros(hidden),
        "outer": 0.01 * random.normal(size=(hidden, 3)) / np.sqrt(hidden),
        "outer offset": np.array([UNIT, np.log(share / (1 - share)) - 1.0, UNIT]),
    }


def curve(parameters: Parameters, features: Float64, family: Family) -> tuple[Float64, Float64, Float64, Float64]:
    """The slope a, offset b and exponent c of each query, each (q, 1), and what the hidden layer gave (q, hidden)."""
    inside = np.tanh(features @ parameters["inner"] + parameters["inner offset"])
    raw = inside @ parameters["outer"] + parameters["outer offset"]
    slope = np.logaddexp(0.0, raw[:, :1]) + LEAST
    free = family == "power"
    exponent = np.logaddexp(0.0, raw[:, 2:]) + LEAST if free else np.full((len(raw), 1), EXPONENT[family])
    return slope, raw[:, 1:2], exponent, inside


def loss(
    parameters: Parameters, x: Float64, labels: Float64, features: Float64, family: Family, decay: float
) -> tuple[float, Parameters]:
    """Mean binary cross-entropy of the judged pairs plus ``decay`` / 2 times the squared weights, and its gradient.

    Args:
        parameters: as `start` makes them.
        x: (q, k) transformed scores, above 0.
        labels: (q, k), NaN where not judged.
        features: (q, f), standardised.
        family: of the curve.
        decay: for the two matrices, not for the offsets.
    """
    slope, offset, exponent, inside = curve(parameters, features, family)
    known = ~np.isnan(labels)
    count = max(int(known.sum()), 1)
    logarithm = np.log(x)
    power = np.exp(exponent * logarithm)
    odds = slope * power + offset
    target = np.where(known, labels, 0.0)
    value = float(np.where(known, np.logaddexp(0.0, odds) - target * odds, 0.0).sum()) / count
    residual = np.where(known, sigmoid(odds) - target, 0.0) / count
    # d softplus(r) / dr = 1 - exp(-softplus(r)), which needs only what softplus gave.
    outer = np.zeros((len(x), 3))
    outer[:, 0] = (residual * power).sum(axis=1) * -np.expm1(-(slope[:, 0] - LEAST))
    outer[:, 1] = residual.sum(axis=1)
    if family == "power":
        steep = (residual * slope * power * logarithm).sum(axis=1)
        outer[:, 2] = steep * -np.expm1(-(exponent[:, 0] - LEAST))
    inner = (outer @ parameters["outer"].T) * (1 - inside**2)
    gradient = {
        "inner": features.T @ inner + decay * parameters["inner"],
        "inner offset": inner.sum(axis=0),
        "outer": inside.T @ outer + decay * parameters["outer"],
        "outer offset": outer.sum(axis=0),
    }
    weights = sum(float((parameters[name] ** 2).sum()) for name in ("inner", "outer"))
    return value + decay / 2 * weights, gradient
