"""A model of the Hugging Face hub, by name: the one thing here that uses the network, and only when told to."""

from __future__ import annotations

import os
import re
from pathlib import Path

from similia.encode.base import Encoder
from similia.encode.folder import from_folder
from similia.errors import ModelError

DESCRIPTION = ["*.json", "*/config.json", "onnx/model.onnx", "onnx/model.onnx_data", "model.onnx", "model.onnx_data"]
WEIGHTS = ["*.safetensors", "*/model.safetensors", "vocab.txt", "*.model"]
NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")


def from_hub(name: str) -> Encoder:
    """The model ``owner/name`` or ``owner/name@revision``, downloaded on first use and cached by ``huggingface_hub``.

    Only the files that are needed are fetched: the ONNX file where there is one, the weights otherwise. No code of the
    repository is run. Without network, a model that was downloaded before is still found.

    Raises:
        ModelError: not such a name, no such model, or no network.
    """
    if not NAME.fullmatch(name):
        raise ModelError(f"hub:{name}: expected hub:owner/name, such as hub:sentence-transformers/all-MiniLM-L6-v2")
    repository, _, revision = name.partition("@")
    folder = download(repository, revision or None, DESCRIPTION)
    if not any(folder.glob("*.onnx")) and not any(folder.glob("onnx/*.onnx")):
        folder = download(repository, revision or None, DESCRIPTION + WEIGHTS)
    return from_folder(folder, name=f"hub:{name}")


def download(repository: str, revision: str | None, patterns: list[str]) -> Path:
    """The folder of a model of the hub, with the files of these patterns."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(repository, revision=revision, allow_patterns=patterns))
    except Exception as error:  # noqa: BLE001  (it raises those of its HTTP library, of the file system and its own)
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(
            f"hub:{repository} cannot be had ({reason}); check the name and the network, or give a local folder"
        ) from None
