"""What can go wrong on purpose: one sentence each, naming the thing, the value, the limit and the way out."""

from __future__ import annotations


class SimiliaError(Exception):
    """What every error that Similia raises on purpose is a kind of.

    ``exit_code`` is what the command line ends with: 2 for wrong use or input, 1 for what the machine refused.
    """

    exit_code = 2


class InputError(SimiliaError, ValueError):
    """An argument that cannot be used: a wrong shape, a NaN, a k below 1, an unknown name."""


class SourceError(InputError):
    """Input data that cannot be read, with the file and the line or row at fault.

    Args:
        message: what is wrong and what would be accepted.
        source: the file, folder or ``<standard input>``.
        line: 1-based line (text formats) or row (others) at fault, where it is known.
    """

    def __init__(self, message: str, *, source: str | None = None, line: int | None = None) -> None:
        where = ", ".join(part for part in (source, None if line is None else f"line {line:,}") if part)
        super().__init__(f"{where}: {message}" if where else message)
        self.source = source
        self.line = line


class FilterError(InputError):
    """A filter expression that does not parse, or names a field or a type that is not there."""


class UnknownItem(SimiliaError, KeyError):
    """A key that no item of the collection has."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class UnknownSense(UnknownItem):
    """A sense that the collection does not have."""


class DuplicateKey(InputError):
    """A key that is there already, or that the input holds twice."""


class FingerprintMismatch(SimiliaError):
    """Representations of two different encoders were about to be mixed."""


class NothingToUndo(SimiliaError):
    """There is no change that could be undone."""


class CollectionNotFound(SimiliaError, FileNotFoundError):
    """There is no collection at that place."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class CollectionBusy(SimiliaError):
    """Another process is writing, and did not finish within the waiting time."""

    exit_code = 1


class CollectionDamaged(SimiliaError):
    """The database of a collection is not one, or its bytes were changed from outside."""

    exit_code = 1


class StorageError(SimiliaError):
    """The disk refused to read or write; what was stored before is intact."""

    exit_code = 1


class StorageFull(StorageError):
    """The disk is full; what was stored before is intact."""


class ModelError(SimiliaError):
    """A model that cannot be loaded: missing files, a wrong checksum, an unknown name."""


class DatasetMissing(SimiliaError):
    """A data set that is not on this machine and could not be had; says how to get it."""

    exit_code = 1


class MissingDependency(SimiliaError, ImportError):
    """An optional package that this call needs, with the command that installs it."""

    exit_code = 1
