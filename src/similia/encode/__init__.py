"""Encode: items in, representations out.

``load("minilm")`` is the sentence encoder that comes with the base install and needs no PyTorch and no network;
``load("hashing")`` needs no model at all; a folder or ``"hub:owner/name"`` gives any other. What an encoder made is
stored with its ``fingerprint``, and vectors of two fingerprints are not mixed::

    from similia.encode import load

    encoder = load()
    items = encoder.encode(["a black cat", "tax law"])
    query = encoder.encode(["kitten"], side="query")
    items.vectors @ query.vectors.T
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.encode.aspect import AspectEncoder as AspectEncoder
    from similia.encode.base import Encoder as Encoder
    from similia.encode.base import Side as Side
    from similia.encode.base import TokenEncoder as TokenEncoder
    from similia.encode.base import fingerprint as fingerprint
    from similia.encode.hashing import HashingEncoder as HashingEncoder
    from similia.encode.loading import load as load
    from similia.encode.pairs import CrossEncoder as CrossEncoder
    from similia.encode.pairs import PairEncoder as PairEncoder
    from similia.encode.pairs import PairSettings as PairSettings
    from similia.encode.pairs import TorchCrossEncoder as TorchCrossEncoder
    from similia.encode.pairs import load_pair as load_pair
    from similia.encode.paragraphs import BinaryParagraphVector as BinaryParagraphVector
    from similia.encode.paragraphs import DocumentCodes as DocumentCodes
    from similia.encode.static import StaticEncoder as StaticEncoder
    from similia.encode.template import FieldTemplate as FieldTemplate
    from similia.encode.transformer import TransformerEncoder as TransformerEncoder
    from similia.encode.transformer import TransformerSettings as TransformerSettings
    from similia.encode.wordsenses import DisambiguatedSkipGram as DisambiguatedSkipGram
    from similia.encode.wordsenses import Senses as Senses

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AspectEncoder": ".aspect",
        "BinaryParagraphVector": ".paragraphs",
        "CrossEncoder": ".pairs",
        "DisambiguatedSkipGram": ".wordsenses",
        "DocumentCodes": ".paragraphs",
        "Encoder": ".base",
        "FieldTemplate": ".template",
        "HashingEncoder": ".hashing",
        "PairEncoder": ".pairs",
        "PairSettings": ".pairs",
        "Senses": ".wordsenses",
        "Side": ".base",
        "StaticEncoder": ".static",
        "TokenEncoder": ".base",
        "TorchCrossEncoder": ".pairs",
        "TransformerEncoder": ".transformer",
        "TransformerSettings": ".transformer",
        "fingerprint": ".base",
        "load": ".loading",
        "load_pair": ".pairs",
    },
)
