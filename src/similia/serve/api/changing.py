"""Routes that add, label and upload."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from starlette.responses import Response

from similia.errors import UnknownItem
from similia.serve.answers import Json
from similia.serve.api import models
from similia.serve.context import Chosen, Here, Name, Writable, check_writable
from similia.serve.upload import Options, Upload

router = APIRouter()


@router.post("/collections/{name}/label", response_model=models.LabelsShown, summary="Assign items to classes")
def label(body: models.LabelBody, collection: Chosen, here: Here) -> Response:
    """Assign every item to one of the classes, by their descriptions, without training."""
    here.settings.check_k(body.k)
    if body.save is not None:
        check_writable(here)
    found = collection.label(body.classes, sense=body.sense, save=body.save, progress=False)
    names = list(found.classes)
    shown = range(len(found.keys))[body.offset : body.offset + body.k]
    labels: list[dict[str, Any]] = [
        {
            "key": found.keys[place],
            "label": found.labels[place],
            "confidence": float(found.confidence[place]),
            "scores": dict(zip(names, found.scores[place].tolist(), strict=True)),
        }
        for place in shown
    ]
    counts = Counter(found.labels)
    return Json({"total": len(found.keys), "counts": {name: counts[name] for name in names}, "labels": labels})


@router.post("/collections/{name}/items", dependencies=[Writable], summary="Add a few items")
def add_items(body: models.ItemsBody, collection: Chosen) -> Response:
    """Add items that are in the request; for more, upload a file."""
    report = collection.add(body.items, key=body.key, on_duplicate=body.on_duplicate, progress=False)
    return Json(report.to_dict())


@router.post(
    "/collections/{name}/uploads",
    response_model=models.UploadShown,
    status_code=202,
    dependencies=[Writable],
    summary="Upload a file",
)
def upload(
    name: Name,
    collection: Chosen,
    here: Here,
    file: Annotated[UploadFile, File(description="CSV, TSV, JSON, JSONL, Parquet or Arrow, also .gz, .xz or .zst")],
    start: Annotated[bool, Form(description="add it at once, instead of showing its types first")] = False,
    key: Annotated[str | None, Form(max_length=500)] = None,
    on_duplicate: Annotated[models.Duplicate, Form()] = "error",
) -> Response:
    """Send a file. It is read first: ask for its state until that is ``ready``, then add it."""
    options = Options(key=key or None, on_duplicate=on_duplicate) if start else None
    return Json(here.uploads.receive(name, file.filename, file.file, start=options).to_dict(), status_code=202)


@router.get("/collections/{name}/uploads", response_model=models.UploadsShown, summary="The uploads")
def uploads(name: Name, collection: Chosen, here: Here) -> Response:
    """The uploads to a collection, newest first."""
    return Json({"uploads": [here.uploads.progress(one).to_dict() for one in here.uploads.of(name)]})


def _upload(here: Here, name: str, identity: str) -> Upload:
    found = here.uploads.get(identity)
    if found.collection != name:
        raise UnknownItem(f"no upload {identity[:40]!r} is known here")
    return found


@router.get("/collections/{name}/uploads/{identity}", response_model=models.UploadShown, summary="How an upload goes")
def upload_state(name: Name, identity: str, here: Here) -> Response:
    """The state of an upload, its fields once it is read, how many rows are added."""
    return Json(here.uploads.progress(_upload(here, name, identity)).to_dict())


@router.post(
    "/collections/{name}/uploads/{identity}/add",
    response_model=models.UploadShown,
    status_code=202,
    dependencies=[Writable],
    summary="Add an uploaded file",
)
def add_upload(name: Name, identity: str, body: models.AddBody, here: Here) -> Response:
    """Add a file whose state is ``ready``, in the background."""
    options = Options(body.key, body.text, body.types, body.on_duplicate)
    return Json(here.uploads.begin(_upload(here, name, identity), options).to_dict(), status_code=202)


@router.delete(
    "/collections/{name}/uploads/{identity}",
    response_model=models.UploadShown,
    dependencies=[Writable],
    summary="Cancel an upload",
)
def cancel_upload(name: Name, identity: str, here: Here) -> Response:
    """Give a file up before anything of it is added."""
    return Json(here.uploads.cancel(_upload(here, name, identity)).to_dict())
