"""A pair model from the name or the folder that a user gives."""

from __future__ import annotations

from pathlib import Path

from similia.encode.base import fingerprint
from similia.encode.files import sha256
from similia.encode.folder import ONNX, WEIGHTS, max_tokens_of, read_json
from similia.encode.pairs.base import PairEncoder, positive_label
from similia.encode.pairs.cross import CrossEncoder, PairSettings
from similia.errors import ModelError


def load_pair(
    spec: str | Path | PairEncoder,
    *,
    template: str | None = None,
    positive: int | str | None = None,
    max_tokens: int | None = None,
    runtime: str | None = None,
    progress: bool | None = None,
) -> PairEncoder:
    r"""The pair model that ``spec`` names.

    A folder is of the layout of sentence-transformers' cross-encoders or of plain transformers: ``tokenizer.json``,
    ``onnx/model.onnx`` or ``model.onnx``, and ``config.json``, which may be missing. Where there are weights for
    PyTorch only (``model.safetensors``), the extra ``learn`` runs them.

    Args:
        spec: a local folder; ``"hub:owner/name"``, a model of the Hugging Face hub; or a pair model, which is returned.
        template: how both texts are written as one, ``"Query: {left}\nSentence: {right}"``, for a model trained so.
        positive: which label says that a pair fits, by position or name; None finds it where it can be told.
        max_tokens: tokens of both texts; None takes what the model says that it was made for.
        runtime: ``openvino`` or ``onnxruntime``, as in `similia.encode.runtime.open_runtime`.
        progress: as in `similia.progress.bar`.

    Raises:
        ModelError: no such model, its files are missing or damaged, or its labels cannot be told apart.
        InputError: a template without its two places.

    Examples:
        >>> load_pair("no/such/folder")
        Traceback (most recent call last):
        similia.errors.ModelError: no pair model 'no/such/folder'; expected the folder of a cross-encoder, or ...
    """
    if not isinstance(spec, str | Path):
        if isinstance(spec, PairEncoder):
            return spec
        raise ModelError(f"{spec!r} is no pair model; expected a folder, hub:owner/name, or an object with score")
    name = str(spec)
    kind, _, rest = name.partition(":")
    folder = _from_hub(rest) if kind == "hub" else Path(spec).expanduser()
    if not name or not folder.is_dir():
        raise ModelError(f"no pair model {name!r}; expected the folder of a cross-encoder, or hub:owner/name")
    config = read_json(folder / "config.json")
    config = config if isinstance(config, dict) else {}
    onnx = _first(folder, (*ONNX, *sorted(path.name for path in folder.glob("*.onnx"))))
    tokenizer = _first(folder, ("tokenizer.json", "onnx/tokenizer.json"))
    longest = max_tokens or max_tokens_of(folder, config)
    chosen = positive_label(config, positive, name=name)
    if onnx and tokenizer:
        return CrossEncoder(
            PairSettings(name, onnx, _digest(onnx), tokenizer, sha256(tokenizer), longest, chosen, template),
            runtime=runtime,
            progress=progress,
        )
    if _first(folder, WEIGHTS):
        from similia.encode.pairs.pytorch import TorchCrossEncoder

        reason = "has no ONNX file" if onnx is None else "has no tokenizer.json"
        return TorchCrossEncoder.open(
            folder, name, max_tokens=longest, positive=chosen, template=template, reason=reason
        )
    raise ModelError(
        f"{folder} holds no pair model; expected tokenizer.json with onnx/model.onnx, or model.safetensors"
    )


def _from_hub(name: str) -> Path:
    from similia.encode.hub import DESCRIPTION, NAME, WEIGHTS, download

    if not NAME.fullmatch(name):
        raise ModelError(f"hub:{name}: expected hub:owner/name, such as hub:cross-encoder/ms-marco-MiniLM-L6-v2")
    repository, _, revision = name.partition("@")
    folder = download(repository, revision or None, DESCRIPTION)
    if not any(folder.glob("*.onnx")) and not any(folder.glob("onnx/*.onnx")):
        folder = download(repository, revision or None, DESCRIPTION + WEIGHTS)
    return folder


def _digest(onnx: Path) -> str:
    """The digest of the model, with its weights where they lie beside it."""
    data = [path for path in (Path(f"{onnx}_data"), Path(f"{onnx}.data")) if path.is_file()]
    return fingerprint(parts=[sha256(path) for path in (onnx, *data)]) if data else sha256(onnx)


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)
