"""An encoder from the name a user gives it."""

from __future__ import annotations

from pathlib import Path

from similia.encode.base import Encoder
from similia.errors import ModelError


def load(spec: str | Encoder = "minilm") -> Encoder:
    """Return the encoder that ``spec`` names.

    Args:
        spec: ``"minilm"``, the bundled sentence encoder; ``"hashing"`` or ``"hashing:256"``, hashed words and character
            n-grams without any model; a local folder with a sentence-transformers or a static (model2vec) model;
            ``"hub:owner/name"``, a model of the Hugging Face hub; or an encoder, which is returned as it is.

    Raises:
        ModelError: no such encoder, or its files are missing or damaged.

    Examples:
        >>> load("hashing:64").dimension
        64
        >>> load("minillm")
        Traceback (most recent call last):
        similia.errors.ModelError: no encoder 'minillm'; expected minilm, hashing, ...
    """
    if not isinstance(spec, str):
        if isinstance(spec, Encoder):
            return spec
        raise ModelError(
            f"{spec!r} is no encoder; expected a string, or an object with name, dimension, fingerprint and encode"
        )
    kind, _, rest = spec.partition(":")
    if spec == "minilm":
        from similia.encode.bundled import minilm

        return minilm()
    if kind == "hashing":
        from similia.encode.hashing import from_spec

        return from_spec(spec)
    if kind == "hub":
        from similia.encode.hub import from_hub

        return from_hub(rest)
    folder = Path(spec).expanduser()
    if spec and folder.is_dir():
        from similia.encode.folder import from_folder

        return from_folder(folder)
    raise ModelError(
        f"no encoder {spec!r}; expected minilm, hashing, hashing:256, the folder of a model, or hub:owner/name"
    )
