"""A model in a local folder: sentence-transformers with an ONNX file, static, or (with PyTorch) any other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from similia.encode.base import Encoder, fingerprint
from similia.encode.files import sha256
from similia.encode.static import StaticEncoder
from similia.encode.transformer import TransformerEncoder, TransformerSettings
from similia.errors import ModelError

LONGEST = 512  # tokens, where a model does not say what it was made for
WINDOW_LIMIT = 8192
ONNX = ("onnx/model.onnx", "model.onnx", "onnx/model_quantized.onnx", "model_quantized.onnx")
TABLES = ("model.safetensors", "0_StaticEmbedding/model.safetensors")
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "model.safetensors.index.json", "pytorch_model.bin.index.json")
# Names of prompts, as sentence-transformers looks them up for documents.
ITEM_PROMPTS = ("document", "passage", "corpus")


def from_folder(folder: Path, *, name: str | None = None) -> Encoder:
    """The encoder that a folder holds.

    - ``modules.json`` of sentence-transformers says pooling, normalisation and prompts; without it, mean pooling and
      normalisation are taken.
    - A static model has ``embeddings`` in ``model.safetensors`` (model2vec) or in the folder's only ``.npy`` file.
    - A transformer is run from ``onnx/model.onnx`` or ``model.onnx``. Where there are only weights for PyTorch, or the
      model has parts that ONNX files leave out (a dense layer, an unusual pooling), sentence-transformers loads it if
      the extra ``learn`` is installed.

    Raises:
        ModelError: no model in the folder, or one that needs PyTorch where it is not installed.
    """
    label = name or str(folder)
    modules = _modules(folder)
    if (static := _static(folder, label, modules)) is not None:
        return static
    onnx = _onnx(folder)
    strange = _unusual(folder, modules)
    tokenizer = _first(folder, ("tokenizer.json", "onnx/tokenizer.json"))
    if onnx and tokenizer and not strange:
        return TransformerEncoder(_settings(folder, label, onnx, tokenizer, modules))
    if _first(folder, WEIGHTS) or (onnx and modules):
        from similia.encode.sentence_transformer import SentenceTransformerEncoder

        missing = "tokenizer.json" if onnx else "ONNX file"
        return SentenceTransformerEncoder.open(folder, label, reason=strange or f"has no {missing}")
    raise ModelError(
        f"{folder} holds no model; expected tokenizer.json with onnx/model.onnx (sentence-transformers), or with "
        "model.safetensors or one .npy file (static)"
    )


def read_json(path: Path) -> Any:
    """The content of a JSON file; None where there is no such file.

    Raises:
        ModelError: it is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON ({error})") from None


def prompts_of(folder: Path) -> dict[str, str]:
    """The prompts of ``config_sentence_transformers.json`` by side.

    A query takes the prompt named ``query``; an item ``document``, ``passage`` or ``corpus``; either falls back to the
    default prompt, if the model names one.
    """
    config = read_json(folder / "config_sentence_transformers.json") or {}
    known = config.get("prompts") or {}
    default = known.get(config.get("default_prompt_name") or "") or ""
    item = next((known[each] for each in ITEM_PROMPTS if known.get(each)), default)
    found = {"item": item, "query": known.get("query") or default}
    return {side: str(prompt) for side, prompt in found.items() if prompt}


def _settings(folder: Path, name: str, onnx: Path, tokenizer: Path, modules: list[str]) -> TransformerSettings:
    config = read_json(folder / "config.json") or {}
    pooling, dimension = _pooling(folder)
    dimension = dimension or config.get("hidden_size") or config.get("dim") or config.get("d_model")
    if not isinstance(dimension, int):
        raise ModelError(f"{folder}/config.json does not say the dimension of the vectors (hidden_size)")
    data = [path for path in (Path(f"{onnx}_data"), Path(f"{onnx}.data")) if path.is_file()]
    digest = fingerprint(parts=[sha256(path) for path in (onnx, *data)]) if data else sha256(onnx)
    return TransformerSettings(
        name=name,
        model=onnx,
        model_sha256=digest,
        tokenizer=tokenizer,
        tokenizer_sha256=sha256(tokenizer),
        dimension=dimension,
        max_tokens=max_tokens_of(folder, config),
        pooling=pooling,
        normalise=not modules or any(kind.endswith("Normalize") for kind in modules),
        prompts=prompts_of(folder),
    )


def _modules(folder: Path) -> list[str]:
    """The classes of sentence-transformers' modules.json, in order; none where the file is missing."""
    listed = read_json(folder / "modules.json")
    if listed is None:
        return []
    try:
        return [str(module["type"]).rpartition(".")[2] for module in listed]
    except (TypeError, KeyError):
        raise ModelError(f"{folder}/modules.json is not a list of modules with a type each") from None


def _pooling(folder: Path) -> tuple[Literal["mean", "cls"], int | None]:
    """Pooling and dimension as ``1_Pooling/config.json`` says, in the old or the new way of writing it."""
    config = _pooling_config(folder)
    mode = config.get("pooling_mode") or ("cls" if config.get("pooling_mode_cls_token") else "mean")
    dimension = config.get("word_embedding_dimension") or config.get("embedding_dimension")
    return ("cls" if mode == "cls" else "mean"), dimension


def _pooling_config(folder: Path) -> Mapping[str, Any]:
    config = read_json(folder / "1_Pooling" / "config.json")
    return config if isinstance(config, dict) else {}


def _unusual(folder: Path, modules: list[str]) -> str:
    """What the model has that this room does not do itself, if anything."""
    extra = [kind for kind in modules if kind not in ("Transformer", "Pooling", "Normalize")]
    if extra:
        return f"has a {extra[0]} layer"
    config = _pooling_config(folder)
    modes = [key for key, on in config.items() if key.startswith("pooling_mode_") and on is True]
    named = config.get("pooling_mode")
    if named not in (None, "mean", "cls") or set(modes) - {"pooling_mode_mean_tokens", "pooling_mode_cls_token"}:
        return f"pools by {named or ', '.join(modes)}"
    if len(modes) > 1:
        return f"pools in {len(modes)} ways at once"
    if config.get("include_prompt") is False and prompts_of(folder):
        return "leaves its prompt out of the pooling"
    if (read_json(folder / "sentence_bert_config.json") or {}).get("do_lower_case"):
        return "lower-cases its input outside the tokenizer"
    return ""


def max_tokens_of(folder: Path, config: Mapping[str, Any]) -> int:
    """The most tokens that a model was made for, by what its files state."""
    stated = [
        (read_json(folder / "sentence_bert_config.json") or {}).get("max_seq_length"),
        (read_json(folder / "tokenizer_config.json") or {}).get("model_max_length"),
        config.get("max_position_embeddings"),
    ]
    limits = [int(limit) for limit in stated if isinstance(limit, int | float) and 8 <= limit <= WINDOW_LIMIT]
    return min(limits, default=LONGEST)


def _static(folder: Path, name: str, modules: list[str]) -> StaticEncoder | None:
    config = read_json(folder / "config.json") or {}
    declared = config.get("model_type") == "model2vec" or modules[:1] == ["StaticEmbedding"]
    arrays = sorted(folder.glob("*.npy"))
    table = _first(folder, TABLES) if declared else arrays[0] if len(arrays) == 1 and not _onnx(folder) else None
    tokenizer = _first(folder, ("tokenizer.json", "0_StaticEmbedding/tokenizer.json"))
    if table is None or tokenizer is None:
        if declared:
            raise ModelError(f"{folder} is to hold a static model, but lacks tokenizer.json or model.safetensors")
        return None
    normalise = bool(config.get("normalize", True)) if not modules else "Normalize" in modules
    whole = config.get("model_type") != "model2vec" and modules[:1] == ["StaticEmbedding"]
    return StaticEncoder(name, table, tokenizer, normalise, not whole, prompts_of(folder))


def _onnx(folder: Path) -> Path | None:
    found = sorted(folder.glob("onnx/*.onnx")) + sorted(folder.glob("*.onnx"))
    return _first(folder, (*ONNX, *(path.relative_to(folder).as_posix() for path in found)))


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)
