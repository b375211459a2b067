"""Books on their shelf, and in their catalogue."""

from __future__ import annotations

from similia.evaluate.datasets.entry import Entry
from similia.evaluate.datasets.library_books import FOLDER, PATTERNS, SHA256, library_books

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="library_books",
        about="spines of library books as a camera read them, 15,228 titles with authors of the catalogue",
        kind="retrieval",
        origin="llabres/library-dataset @ 24a16b1a93faaafab726e771143ba6f5a2c6c16c : data",
        licence="MIT",
        # Two packed files, which lie in the folder itself.
        packed=FOLDER,
        sha256=SHA256,
        unpacked=FOLDER,
        patterns=PATTERNS,
        content=SHA256,
        read=library_books,
        notes="in Catalan and Spanish, with errors of reading; few spines carry a number, so they are linked by exact "
        "title and author",
        derived="the annotations of half of the images, and the catalogue",
    ),
)
