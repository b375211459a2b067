"""Public data sets by name: origin, licence, checksum, splits. Nothing of them is part of Similia.

They are looked for in the folder that ``SIMILIA_DATA`` names, in ``shared/data`` beside the checkout, and in the
user's cache folder, and are checked against their SHA-256 before they are read. Where one is missing,
`similia.errors.DatasetMissing` says how to get it. Where nobody has stated a checksum, `Entry.verifiable` says so, and
reading the files warns with `UnverifiedDataWarning`.

    >>> from similia.evaluate import datasets
    >>> datasets.info("cranfield").about
    'aerodynamics: 1,400 abstracts, 225 questions, graded judgments'
    >>> datasets.names("pairs")[:4]
    ['stsb', 'stsb_de', 'stsb_zh', 'sts12']
    >>> datasets.info("stsb").splits
    ('dev', 'train', 'test')

`retrieval`, `pairs`, `classification` and `records` read one, each typed as what its kind is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.evaluate.datasets.entry import Entry as Entry
    from similia.evaluate.datasets.kinds import Dataset as Dataset
    from similia.evaluate.datasets.kinds import PairsDataset as PairsDataset
    from similia.evaluate.datasets.kinds import RecordsDataset as RecordsDataset
    from similia.evaluate.datasets.kinds import RetrievalDataset as RetrievalDataset
    from similia.evaluate.datasets.kinds import TextClassificationDataset as TextClassificationDataset
    from similia.evaluate.datasets.places import UnverifiedDataWarning as UnverifiedDataWarning
    from similia.evaluate.datasets.places import cache_folder as cache_folder
    from similia.evaluate.datasets.places import data_folders as data_folders
    from similia.evaluate.datasets.registry import available as available
    from similia.evaluate.datasets.registry import classification as classification
    from similia.evaluate.datasets.registry import info as info
    from similia.evaluate.datasets.registry import load as load
    from similia.evaluate.datasets.registry import names as names
    from similia.evaluate.datasets.registry import pairs as pairs
    from similia.evaluate.datasets.registry import records as records
    from similia.evaluate.datasets.registry import retrieval as retrieval

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Dataset": ".kinds",
        "Entry": ".entry",
        "PairsDataset": ".kinds",
        "RecordsDataset": ".kinds",
        "RetrievalDataset": ".kinds",
        "TextClassificationDataset": ".kinds",
        "UnverifiedDataWarning": ".places",
        "available": ".registry",
        "cache_folder": ".places",
        "classification": ".registry",
        "data_folders": ".places",
        "info": ".registry",
        "load": ".registry",
        "names": ".registry",
        "pairs": ".registry",
        "records": ".registry",
        "retrieval": ".registry",
    },
)
