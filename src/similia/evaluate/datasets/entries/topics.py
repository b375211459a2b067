"""Texts with one class each."""

from __future__ import annotations

from similia.evaluate.datasets.entry import Entry
from similia.evaluate.datasets.readers import topics

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="ag_news",
        about="7,600 news articles of 4 topics (the test split)",
        kind="classification",
        origin="mhjabreel/CharCnn_Keras @ 555590db4219b1243abb1918effd6a7425a2d75f : data/ag_news_csv",
        licence="AG corpus: non-commercial research",
        packed="ag_news/test.csv.xz",
        sha256="0a9c7e3b54b247cf9aa0c68fec8c25056ab2b189284116aa71595380054d37d3",
        unpacked="ag_news",
        patterns=("test.csv",),
        content="cea667622349b56c895a8c77607231918b7c2c47bdba11fcf15ef54e7bc59044",
        read=topics.ag_news,
        splits=("test",),
    ),
)
