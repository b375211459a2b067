"""Evaluate: how good a sense is, by the user's task.

* `evaluate` and `evaluate_hits` measure a run, from mappings or from arrays; `compare` sets several
  side by side with intervals and a test.
* `similia.evaluate.metrics` holds the metrics, one a file, on plain arrays.
* `similia.evaluate.statistics` says how sure a number is.
* `funnel` says where a search loses what a task wants, `advise` which metric and kind of index suit a set of vectors.
* `critical_n`, `combinatorial_dataset` and `RelevanceGraph` tell what vectors of a length can serve.
* `similia.evaluate.datasets` names public data sets and reads those that are on this machine.

    >>> from similia import evaluate
    >>> round(evaluate.evaluate({"q": {"a": 3, "b": 2}}, {"q": {"b": 1}}).mean("ndcg@10"), 4)
    0.6309
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.evaluate.advisor import Advice as Advice
    from similia.evaluate.advisor import MetaFeatures as MetaFeatures
    from similia.evaluate.advisor import Rules as Rules
    from similia.evaluate.advisor import advise as advise
    from similia.evaluate.advisor import meta_features as meta_features
    from similia.evaluate.capacity import critical_n as critical_n
    from similia.evaluate.capacity import free_embedding_capacity as free_embedding_capacity
    from similia.evaluate.combinatorial import combinatorial_dataset as combinatorial_dataset
    from similia.evaluate.formats import read_judgments as read_judgments
    from similia.evaluate.formats import read_queries as read_queries
    from similia.evaluate.formats import read_run as read_run
    from similia.evaluate.formats import write_judgments as write_judgments
    from similia.evaluate.formats import write_queries as write_queries
    from similia.evaluate.formats import write_run as write_run
    from similia.evaluate.judged import Judged as Judged
    from similia.evaluate.judged import judge as judge
    from similia.evaluate.judged import judge_hits as judge_hits
    from similia.evaluate.metrics import OperatingPoint as OperatingPoint
    from similia.evaluate.metrics import Reliability as Reliability
    from similia.evaluate.metrics import accuracy as accuracy
    from similia.evaluate.metrics import auc as auc
    from similia.evaluate.metrics import average_precision as average_precision
    from similia.evaluate.metrics import brier_score as brier_score
    from similia.evaluate.metrics import calibration_error as calibration_error
    from similia.evaluate.metrics import confusion as confusion
    from similia.evaluate.metrics import f1 as f1
    from similia.evaluate.metrics import ndcg as ndcg
    from similia.evaluate.metrics import operating_point as operating_point
    from similia.evaluate.metrics import pearson as pearson
    from similia.evaluate.metrics import pooled_average_precision as pooled_average_precision
    from similia.evaluate.metrics import precision as precision
    from similia.evaluate.metrics import recall as recall
    from similia.evaluate.metrics import reciprocal_rank as reciprocal_rank
    from similia.evaluate.metrics import reliability as reliability
    from similia.evaluate.relevance import RelevanceGraph as RelevanceGraph
    from similia.evaluate.relevant_recall import RelevantRecall as RelevantRecall
    from similia.evaluate.reliance import Calibration as Calibration
    from similia.evaluate.reliance import calibration_of as calibration_of
    from similia.evaluate.report import Report as Report
    from similia.evaluate.report import compare as compare
    from similia.evaluate.run import Evaluation as Evaluation
    from similia.evaluate.run import evaluate as evaluate
    from similia.evaluate.run import evaluate_hits as evaluate_hits
    from similia.evaluate.statistics import Interval as Interval
    from similia.evaluate.statistics import bootstrap_interval as bootstrap_interval
    from similia.evaluate.statistics import bootstrap_statistic as bootstrap_statistic
    from similia.evaluate.statistics import paired_bootstrap as paired_bootstrap
    from similia.evaluate.statistics import randomisation_test as randomisation_test
    from similia.evaluate.task_loss import Funnel as Funnel
    from similia.evaluate.task_loss import HitRate as HitRate
    from similia.evaluate.task_loss import LabelRecall as LabelRecall
    from similia.evaluate.task_loss import MatchingScore as MatchingScore
    from similia.evaluate.task_loss import NeighbourAccuracy as NeighbourAccuracy
    from similia.evaluate.task_loss import funnel as funnel
    from similia.evaluate.trial import Trial as Trial
    from similia.evaluate.trial import try_out as try_out

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Advice": ".advisor",
        "Calibration": ".reliance",
        "Evaluation": ".run",
        "Funnel": ".task_loss",
        "HitRate": ".task_loss",
        "Interval": ".statistics",
        "Judged": ".judged",
        "LabelRecall": ".task_loss",
        "MatchingScore": ".task_loss",
        "MetaFeatures": ".advisor",
        "NeighbourAccuracy": ".task_loss",
        "OperatingPoint": ".metrics",
        "RelevanceGraph": ".relevance",
        "RelevantRecall": ".relevant_recall",
        "Reliability": ".metrics",
        "Report": ".report",
        "Rules": ".advisor",
        "Trial": ".trial",
        "accuracy": ".metrics",
        "advise": ".advisor",
        "auc": ".metrics",
        "average_precision": ".metrics",
        "bootstrap_interval": ".statistics",
        "bootstrap_statistic": ".statistics",
        "brier_score": ".metrics",
        "calibration_error": ".metrics",
        "calibration_of": ".reliance",
        "combinatorial_dataset": ".combinatorial",
        "compare": ".report",
        "confusion": ".metrics",
        "critical_n": ".capacity",
        "evaluate": ".run",
        "evaluate_hits": ".run",
        "f1": ".metrics",
        "free_embedding_capacity": ".capacity",
        "funnel": ".task_loss",
        "judge": ".judged",
        "judge_hits": ".judged",
        "meta_features": ".advisor",
        "ndcg": ".metrics",
        "operating_point": ".metrics",
        "paired_bootstrap": ".statistics",
        "pearson": ".metrics",
        "pooled_average_precision": ".metrics",
        "precision": ".metrics",
        "randomisation_test": ".statistics",
        "read_judgments": ".formats",
        "read_queries": ".formats",
        "read_run": ".formats",
        "recall": ".metrics",
        "reciprocal_rank": ".metrics",
        "reliability": ".metrics",
        "try_out": ".trial",
        "write_judgments": ".formats",
        "write_queries": ".formats",
        "write_run": ".formats",
    },
)
