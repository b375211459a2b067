"""What one Python source file defines, imports and hands out, read without running any of it."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, field
from pathlib import Path

SIGNATURE_LIMIT = 300


@dataclass(frozen=True)
class Definition:
    """A function, class or method as it stands in a file; the ``name`` of a method is dotted."""

    module: str
    name: str
    kind: str
    signature: str
    parameters: int
    doc: str
    lines: int


@dataclass
class Module:
    """One file. ``imports`` are (module, name or "*", alias); ``public`` is ``__all__`` where it could be read."""

    name: str
    is_package: bool
    definitions: list[Definition] = field(default_factory=list)
    imports: list[tuple[str, str, str]] = field(default_factory=list)
    public: list[str] | None = None


def read(path: Path, name: str) -> Module | None:
    """Read ``path`` as module ``name``; None where it is not Python that this interpreter can parse.

    Only what has a name without a leading underscore and a docstring is kept.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in other people's strings
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    module = Module(name, is_package=path.stem == "__init__")
    _statements(tree.body, module)
    return module


def _statements(body: list[ast.stmt], module: Module) -> None:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                _define(node, module, "function", node.name)
            case ast.ClassDef():
                _define_class(node, module)
            case ast.ImportFrom():
                base = _base(module, node)
                module.imports.extend((base, alias.name, alias.asname or alias.name) for alias in node.names)
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                module.public = _strings(value)
            case ast.AugAssign(target=ast.Name(id="__all__"), value=value):
                more = _strings(value)
                module.public = None if module.public is None or more is None else module.public + more
            case ast.If() | ast.Try():  # definitions that depend on the platform or the Python version
                handlers = [statement for handler in getattr(node, "handlers", []) for statement in handler.body]
                _statements([*node.body, *handlers, *node.orelse], module)


def _base(module: Module, node: ast.ImportFrom) -> str:
    """The absolute name of the module that ``from ... import`` names."""
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    parts = parts[: len(parts) - node.level + (1 if module.is_package else 0)]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _strings(value: ast.expr) -> list[str] | None:
    """The names in a literal ``__all__``, or None where it is computed."""
    if isinstance(value, ast.BinOp):
        sides = (_strings(value.left), _strings(value.right))
        return None if None in sides else [name for side in sides for name in side or []]
    if isinstance(value, ast.List | ast.Tuple | ast.Set):
        names = [item.value for item in value.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)]
        return names if len(names) == len(value.elts) else None
    return None


def _define_class(node: ast.ClassDef, module: Module) -> None:
    if node.name.startswith("_"):
        return
    methods = [item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
    start = next((item for item in methods if item.name in ("__init__", "__new__")), None)
    doc = ast.get_docstring(node, clean=False)
    if doc:
        signature, count = _signature(start, bound=True) if start else ("()", 0)
        if start is None:  # a dataclass or a named tuple: its annotated names are its parameters
            names = [
                item.target.id
                for item in node.body
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
            ]
            signature, count = _cut(f"({', '.join(names)})"), len(names)
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        module.definitions.append(Definition(module.name, node.name, "class", signature, count, doc, lines))
    for item in methods:
        _define(item, module, "method", f"{node.name}.{item.name}")


def _define(node: ast.FunctionDef | ast.AsyncFunctionDef, module: Module, kind: str, name: str) -> None:
    doc = ast.get_docstring(node, clean=False)
    if not doc or node.name.startswith("_"):
        return
    decorators = {ast.unparse(item).rsplit(".", 1)[-1] for item in node.decorator_list}
    if decorators & {"property", "cached_property", "setter", "deleter", "overload"}:
        return  # not called, or said elsewhere
    signature, count = _signature(node, bound=kind == "method" and "staticmethod" not in decorators)
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    module.definitions.append(Definition(module.name, name, kind, signature, count, doc, lines))


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, *, bound: bool) -> tuple[str, int]:
    """The parameters as text, without annotations (they say more than fits) and without ``self``; and their number."""
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [*[None] * (len(positional) - len(given.defaults)), *given.defaults]
    parts: list[str] = []
    for place, (argument, default) in enumerate(zip(positional, defaults, strict=True)):
        if not (bound and place == 0):
            parts.append(_parameter(argument, default))
        if given.posonlyargs and place == len(given.posonlyargs) - 1 and parts:
            parts.append("/")
    if given.vararg:
        parts.append(f"*{given.vararg.arg}")
    elif given.kwonlyargs:
        parts.append("*")
    parts.extend(_parameter(*pair) for pair in zip(given.kwonlyargs, given.kw_defaults, strict=True))
    if given.kwarg:
        parts.append(f"**{given.kwarg.arg}")
    returns = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
    count = sum(part not in ("/", "*") for part in parts)
    return _cut(f"({', '.join(parts)}){returns}"), count


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    return argument.arg if default is None else f"{argument.arg}={_cut(ast.unparse(default), 40)}"


def _cut(text: str, limit: int = SIGNATURE_LIMIT) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
