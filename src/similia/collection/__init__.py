"""Collection: items that last, found by what they are alike in.

A collection is a folder with a database; a sense is one named notion of similarity over its items::

    from similia import Collection

    with Collection.open("papers", create=True) as papers:
        papers.add("papers.jsonl", text=["title", "abstract"], key="id")
        papers.search("rank fusion", where="year >= 2020")
        papers.senses.add("method", text="abstract", about="the method that the paper proposes")
        papers.similar("2503.14432", sense="method")

`Collection` is the face; each verb stands in a file of its own (``adding``, ``searching``, ``comparing``,
``labelling``, ``duplicates``, ``layout``, ``exporting``, ``indexes``), what lasts in ``store``, what is read in
``sources``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.collection.browsing import Page as Page
    from similia.collection.collection import Collection as Collection
    from similia.collection.comparing import Comparison as Comparison
    from similia.collection.comparing import SenseComparison as SenseComparison
    from similia.collection.correcting import CorrectionReport as CorrectionReport
    from similia.collection.correcting import Corrections as Corrections
    from similia.collection.duplicates import DuplicatePairs as DuplicatePairs
    from similia.collection.evaluated import CollectionEvaluation as CollectionEvaluation
    from similia.collection.evaluating import evaluate_runs as evaluate_runs
    from similia.collection.fieldwise import FieldComparison as FieldComparison
    from similia.collection.indexes import Indexes as Indexes
    from similia.collection.indexes import IndexReport as IndexReport
    from similia.collection.judging import JudgeReport as JudgeReport
    from similia.collection.judging import Judgments as Judgments
    from similia.collection.labelling import Labels as Labels
    from similia.collection.labelling import read_classes as read_classes
    from similia.collection.layout import Layout as Layout
    from similia.collection.reports import AddReport as AddReport
    from similia.collection.reports import Info as Info
    from similia.collection.reports import Sense as Sense
    from similia.collection.results import Explanation as Explanation
    from similia.collection.results import Hit as Hit
    from similia.collection.results import Results as Results
    from similia.collection.results import View as View
    from similia.collection.senses import Senses as Senses
    from similia.collection.settings import Setting as Setting
    from similia.collection.store import ChangeRow as ChangeRow
    from similia.collection.store import CheckReport as CheckReport
    from similia.collection.store.judgments import Judgment as Judgment

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AddReport": ".reports",
        "ChangeRow": ".store",
        "CheckReport": ".store",
        "Collection": ".collection",
        "CollectionEvaluation": ".evaluated",
        "Comparison": ".comparing",
        "CorrectionReport": ".correcting",
        "Corrections": ".correcting",
        "DuplicatePairs": ".duplicates",
        "Explanation": ".results",
        "FieldComparison": ".fieldwise",
        "Hit": ".results",
        "IndexReport": ".indexes",
        "Indexes": ".indexes",
        "Info": ".reports",
        "JudgeReport": ".judging",
        "Judgment": ".store.judgments",
        "Judgments": ".judging",
        "Labels": ".labelling",
        "Layout": ".layout",
        "Page": ".browsing",
        "Results": ".results",
        "Sense": ".reports",
        "SenseComparison": ".comparing",
        "Senses": ".senses",
        "Setting": ".settings",
        "View": ".results",
        "evaluate_runs": ".evaluating",
        "read_classes": ".labelling",
    },
)
