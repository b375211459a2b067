"""What is known about a data set, whether or not it is on this machine."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from similia.errors import DatasetMissing, InputError
from similia.evaluate.datasets.kinds import Dataset
from similia.evaluate.datasets.places import Files, Source, UnverifiedDataWarning, cache_folder


@dataclass(frozen=True)
class Entry:
    """What is known about a data set, whether or not it is on this machine.

    A checksum of None is one that is not known: such files are read as they are found, with an
    `UnverifiedDataWarning`, and `verifiable` says so beforehand.

    Attributes:
        name: what to load it by.
        about: one line.
        kind: what `load` returns.
        origin: GitHub repository, commit and path.
        licence: as stated by its makers.
        splits: what may be asked for; the first is the default.
        packed: the packed file, in a data folder.
        sha256: of the packed file.
        unpacked: where the files of the origin may lie instead, in a data folder.
        patterns: which of them count.
        content: digest of those.
        parts: split -> its files, for splits that have files of their own.
        notes: what to keep in mind when measuring.
        derived: how the packed file was made, where it is not a copy of files of the origin.
    """

    name: str
    about: str
    kind: Literal["retrieval", "classification", "pairs", "records"]
    origin: str
    licence: str
    packed: str
    sha256: str | None
    unpacked: str
    patterns: tuple[str, ...]
    content: str | None
    read: Callable[[str, Source, str], Dataset]
    splits: tuple[str, ...] = ("all",)
    parts: Mapping[str, Files] = field(default_factory=dict)
    notes: str = ""
    derived: str = ""

    def chosen(self, split: str | None) -> str:
        """The split that is meant.

        Raises:
            InputError: an unknown split.
        """
        if split is not None and split not in self.splits:
            raise InputError(f"data set {self.name!r} has no split {split!r}; it has {', '.join(self.splits)}")
        return self.splits[0] if split is None else split

    def files(self, split: str | None = None) -> Files:
        """Which files a split is made of."""
        own = Files(self.packed, self.sha256, self.unpacked, self.patterns, self.content)
        return self.parts.get(self.chosen(split), own)

    def verifiable(self, split: str | None = None) -> bool:
        """Whether the checksums of a split are known.

        Examples:
            >>> from similia.evaluate import datasets
            >>> datasets.info("cranfield").verifiable(), datasets.info("medline").verifiable()
            (True, False)
        """
        return self.files(split).verifiable

    def how_to_get(self, split: str | None = None) -> str:
        """What a person does to have the data set on this machine."""
        repository, _, path = self.origin.partition(" : ")
        owner, _, commit = repository.partition(" @ ")
        files = self.files(split)
        unknown = "" if files.verifiable else "; no checksum is known for it, so it is read unverified"
        if self.derived:
            return (
                f"name a folder that holds {files.packed} by SIMILIA_DATA; it was made from {path} of "
                f"https://github.com/{owner} at commit {commit[:12]} ({self.derived}; licence: {self.licence}){unknown}"
            )
        return (
            f"take {path} of https://github.com/{owner} at commit {commit[:12]} and put {', '.join(files.patterns)} in "
            f"{cache_folder() / 'data' / files.unpacked}, or name a folder that holds {files.packed} by SIMILIA_DATA "
            f"(licence: {self.licence}){unknown}"
        )

    def source(self, split: str | None = None) -> Source:
        """The files of a split, found and checked as far as their checksums are known.

        Raises:
            DatasetMissing: they are not on this machine, or not what they should be.
            InputError: an unknown split.
        """
        chosen = self.chosen(split)
        name = self.name if chosen == self.splits[0] else f"{self.name}/{chosen}"
        try:
            return self.files(chosen).find(name)
        except DatasetMissing as missing:
            raise DatasetMissing(f"{missing}; to get it, {self.how_to_get(chosen)}") from None

    def load(self, split: str | None = None) -> Dataset:
        """Read a split.

        Raises:
            DatasetMissing: it is not on this machine.
            InputError: an unknown split.

        Warns:
            UnverifiedDataWarning: no checksum is known for its files.
        """
        chosen = self.chosen(split)
        source = self.source(chosen)
        if not source.verified:
            warnings.warn(
                f"data set {self.name!r}, split {chosen!r}: no checksum is known, so {source.path} is read unverified",
                UnverifiedDataWarning,
                stacklevel=3,
            )
        return self.read(self.name, source, chosen)
