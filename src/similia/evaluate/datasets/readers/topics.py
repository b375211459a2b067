"""Texts with one class each."""

from __future__ import annotations

import csv
import io
import re

import numpy as np

from similia.evaluate.datasets.kinds import TextClassificationDataset
from similia.evaluate.datasets.places import Source

AG_CLASSES = ("World", "Sports", "Business", "Sci/Tech")


def ag_news(name: str, source: Source, split: str) -> TextClassificationDataset:
    """AG News: title and description as one text."""
    rows = list(csv.reader(io.StringIO(next(source.files())[1].decode("utf-8"))))
    texts = tuple(re.sub(r"[\s\\]+", " ", f"{title}. {body}").strip() for _, title, body in rows)
    return TextClassificationDataset(name, texts, np.array([int(row[0]) - 1 for row in rows]), AG_CLASSES)
