"""What an add is to do: which field is the key, and how the vectors of every sense come about."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from similia.collection.definition import SEARCHED, TOPIC, Definition, text_fields
from similia.collection.making import Maker
from similia.collection.naming import field_names, listed, nearest
from similia.collection.searching import whole_number
from similia.collection.sources import Scan, Source
from similia.collection.store import SenseRow
from similia.collection.workspace import Workspace
from similia.errors import DuplicateKey, InputError

if TYPE_CHECKING:
    from similia.encode import Encoder

KEY = "_key"
KEYS = (KEY, "id", "key")
"""Fields that are taken as the key, in this order, where no key is named and no value is missing or there twice."""
FILES = {"path", "kind", "modified"}
"""Fields that items have which are files of a folder; their ``path`` is the key."""
EARLIER = 100
"""How many lines of the log are looked at for the key of earlier adds."""
DEFAULT_ENCODER = "minilm"
CHOICES = {"on_duplicate": ("error", "skip", "replace"), "precision": ("float32", "float16")}


@dataclass(frozen=True)
class Request:
    """What `Collection.add` was asked to do, checked as far as that goes without the input."""

    text: str | Sequence[str] | None
    key: str | None
    on_duplicate: Literal["error", "skip", "replace"]
    vectors: str | None
    encoder: str | Encoder | None
    precision: Literal["float32", "float16"]
    batch_size: int | None
    progress: bool | None

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            value = str(getattr(self, name))
            if value not in allowed:
                raise InputError(f"{name} {value!r} is not one of {', '.join(allowed)}{nearest(value, allowed)}")
        if self.batch_size is not None:
            whole_number("batch_size", self.batch_size, 1)

    def text_names(self) -> list[str]:
        """The fields named to be read as text."""
        names = self.text.split(",") if isinstance(self.text, str) else self.text or ()
        return [name.strip() for name in names if name.strip()]


@dataclass(frozen=True)
class Plan:
    """How the items of an input are stored.

    Attributes:
        key: the field that holds the keys, or None.
        makers: one for every sense.
        topic: the definition of the sense that the first batch makes, or None.
        types: the fields that are stored with the records.
        taken: the fields whose vectors go to a sense instead.
        rendered: fields that hold text in the collection, and something else in this input.
    """

    key: str | None
    makers: list[Maker]
    topic: Definition | None
    types: dict[str, str]
    taken: frozenset[str]
    rendered: list[str] = field(default_factory=list)


def encoder_spec(encoder: str | Encoder | None) -> str | Encoder:
    """The encoder to use: the one named, else ``SIMILIA_ENCODER``, else the bundled one; folders by their full path."""
    spec = encoder or os.environ.get("SIMILIA_ENCODER") or DEFAULT_ENCODER
    if isinstance(spec, str) and os.path.sep in spec and not spec.startswith("hub:"):
        return os.path.realpath(os.path.expanduser(spec))  # noqa: PTH111 - a name is a string until it is a folder
    return spec


def choose_key(space: Workspace, request: Request, scan: Scan) -> str | None:
    """The field that holds the keys: the one named, that of earlier adds, or a usual one; None to number the items.

    Raises:
        InputError: items without a key, or a field ``_key`` that cannot be it.
        DuplicateKey: a key twice, where that is an error.
    """
    if request.key is not None:
        _refuse_bad_keys(request, scan)
        return request.key
    earlier = (row.arguments.get("key") for row in space.store.log(EARLIER) if row.command == "add")
    usual = [*KEYS, *(["path"] if scan.types.keys() >= FILES else [])]
    for name in [*earlier, *usual]:
        if name is not None and scan.unique.get(name):
            return str(name)
    if KEY in scan.types:
        raise InputError(f"the field {KEY!r} is kept for the key of an item, and here it holds a value twice or none")
    return None


def _refuse_bad_keys(request: Request, scan: Scan) -> None:
    if scan.missing is not None:
        raise InputError(f"{scan.missing}: there is no value in {request.key!r}, the key of an item")
    if scan.duplicate is not None and request.on_duplicate == "error":
        first, second = scan.duplicate.places
        raise DuplicateKey(
            f"the key {scan.duplicate.value!r:.80} stands twice ({first}; {second}), so nothing was added: keep the "
            "first or the last (--on-duplicate skip|replace)"
        )


def arguments(opened: Source, request: Request, key: str | None) -> dict[str, Any]:
    """What the log says of the command."""
    encoder = request.encoder
    named = {
        "source": opened.name,
        "text": request.text_names() or None,
        "key": key,
        "on_duplicate": request.on_duplicate,
        "vectors": request.vectors,
        "encoder": encoder if encoder is None or isinstance(encoder, str) else encoder.name,
        "precision": request.precision,
    }
    return {name: value for name, value in named.items() if value is not None and value != CHOICES.get(name, ("",))[0]}


def resume_key(scan: Scan, said: Mapping[str, Any], *options: Any) -> str:
    """What must be equal for a command to go on with the work of an interrupted one."""
    return hashlib.sha256(json.dumps([scan.identity, scan.rows, said, options], sort_keys=True).encode()).hexdigest()


def plan(space: Workspace, request: Request, opened: Source, scan: Scan, key: str | None) -> Plan:
    """Work out how every item gets its vectors; inside the change, so that the senses stay what they are.

    Raises:
        InputError: what was asked for does not go with the input, or with the senses that are there.
        FingerprintMismatch: an encoder is another than the one that made its sense.
    """
    types = {name: kind for name, kind in scan.types.items() if name != KEY}
    senses = space.store.senses()
    topic = None
    if not senses and space.store.count() == 0:
        topic, maker = _first(space, request, opened, types, key)
        makers = [maker]
    else:
        if TOPIC not in senses and (request.text or request.vectors or request.encoder):
            raise InputError(
                f"collection {space.name!r} has no sense {TOPIC!r} that text, vectors or encoder could be for: add the "
                "items without them, then the sense (similia senses add)"
            )
        makers = [_existing(space, request, opened, row, scan.types) for row in senses.values()]
    taken = frozenset(maker.field for maker in makers if maker.field is not None)
    types = {name: kind for name, kind in types.items() if name not in taken}
    there = {name: stored.type for name, stored in space.store.fields().items()}
    # A few rows cannot tell a category from text: where both are strings, the type that is stored stays.
    types = {
        name: "category" if (there.get(name), kind) == ("category", "text") else kind for name, kind in types.items()
    }
    rendered = [name for name, kind in types.items() if there.get(name) in SEARCHED and kind not in SEARCHED]
    return Plan(key, makers, topic, types, taken, rendered)


def _first(
    space: Workspace, request: Request, opened: Source, types: Mapping[str, str], key: str | None
) -> tuple[Definition, Maker]:
    """The first sense; its dimension may become known with the first batch only."""
    types = dict(types)
    if request.vectors is not None:
        field_names([request.vectors], types)
        del types[request.vectors]
    own = {name: kind for name, kind in types.items() if name != key}
    fields = text_fields(request.text_names() or None, types if request.text else own)
    if not fields:
        fields = text_fields(None, types)
    encoder = None
    if request.vectors is None or request.encoder is not None:
        encoder = space.load_encoder(encoder_spec(request.encoder))
    if request.vectors is None and not fields:
        raise InputError(
            f"{opened.name} has no text field to encode (its fields: {listed(list(types))}): name fields to read as "
            "text, or the field that holds vectors"
        )
    spec = None if encoder is None else encoder_spec(request.encoder)
    name = spec if spec is None or isinstance(spec, str) else spec.name
    dimension = 0 if encoder is None else encoder.dimension
    maker = Maker(TOPIC, fields, encoder, request.vectors, dimension, request.precision)
    return Definition(fields, name, None, request.vectors), maker


def _existing(space: Workspace, request: Request, opened: Source, row: SenseRow, types: Mapping[str, str]) -> Maker:
    """How the vectors of a sense that is there come about for this input."""
    definition = Definition.read(row.definition)
    if row.name == TOPIC:
        _agree(space, request, row, definition, types)
    given = (request.vectors if row.name == TOPIC else None) or definition.vectors
    if given not in types:
        given = None
    encoder = None if given is not None else space.encoder_of(row)
    if given is None and encoder is None:
        raise InputError(
            f"sense {row.name!r} has vectors that are given with the items (field {definition.vectors!r}), and "
            f"{opened.name} has no such field: name the one that holds them (--vectors)"
        )
    return Maker(row.name, definition.fields, encoder, given, row.dimension, row.precision)


def _agree(space: Workspace, request: Request, row: SenseRow, definition: Definition, types: Mapping[str, str]) -> None:
    """Refuse what would make the sense ``topic`` another than it is."""
    way = f"leave it out, or add a sense of its own (similia senses {space.name} add NAME)"
    if request.text_names():
        fields = field_names(request.text_names(), [*definition.fields, *types])
        if fields != definition.fields:
            raise InputError(f"text={','.join(fields)}: {TOPIC!r} reads {listed(definition.fields)} already; {way}")
    if request.vectors is not None and definition.vectors is None:
        raise InputError(f"vectors={request.vectors}: {TOPIC!r} is made by {definition.encoder!r}; {way}")
    if request.encoder is not None:
        encoder = space.load_encoder(encoder_spec(request.encoder))
        if encoder.fingerprint != row.fingerprint:
            raise InputError(f"encoder={encoder.name}: {TOPIC!r} has {definition.encoder or 'none'}; {way}")
    if request.precision == "float16" and row.precision != "float16":
        raise InputError(f"precision=float16: {TOPIC!r} has {row.precision}; {way}")
