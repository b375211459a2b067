"""The text of PDF files, page by page."""

from __future__ import annotations

import io
import logging
import re

from similia.errors import SourceError

_HALVES = re.compile("[\ud800-\udfff]")
_TITLE_LENGTH = 200


def pdf_text(data: bytes) -> tuple[str | None, str]:
    """Return the title and the text of a PDF file, pages parted by an empty line.

    The title is that of the metadata, or the first line of the text, or None. Scanned pages have no text.

    Raises:
        SourceError: the file is damaged, or needs a password.
    """
    from pypdf import PdfReader
    from pypdf.errors import FileNotDecryptedError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what matters is raised below
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise SourceError("needs a password")
        pages = [page.extract_text() or "" for page in reader.pages]
        metadata = reader.metadata
        stated = str(metadata.title) if metadata is not None and metadata.title else ""
    except SourceError:
        raise
    except FileNotDecryptedError:
        raise SourceError("needs a password") from None
    except RecursionError:
        raise SourceError("is nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - damaged files raise nearly anything
        raise SourceError(f"is damaged or no PDF ({type(error).__name__}: {str(error)[:200]})") from None
    text = "\n\n".join(filter(None, (_clean(page) for page in pages)))
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return _clean(stated) or first[:_TITLE_LENGTH] or None, text


def _clean(text: str) -> str:
    """Fonts with wrong tables give characters that are none."""
    return _HALVES.sub("\ufffd", text).replace("\0", "").strip()
