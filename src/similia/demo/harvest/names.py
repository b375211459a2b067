"""The name under which a definition is meant to be used: re-exports followed, private paths left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from similia.demo.harvest.source import Definition, Module

Place = tuple[str, str]  # (module, top-level name) of a definition


def public_names(modules: Iterable[Module]) -> list[tuple[str, Definition]]:
    """Give every definition that is reachable without a private name its shortest public name, once.

    ``numpy.lib._function_base_impl.percentile`` becomes ``numpy.percentile``; what only private paths lead to is left
    out. Computed from the import statements alone: nothing is run.

    Examples:
        >>> doc = Definition("pack._impl", "clip", "function", "(a)", 1, "Limit a.", 2)
        >>> impl = Module("pack._impl", is_package=False, definitions=[doc])
        >>> face = Module("pack", is_package=True, imports=[("pack._impl", "*", "*")])
        >>> [name for name, _ in public_names([impl, face])]
        ['pack.clip']
    """
    table = {module.name: module for module in modules}
    best: dict[Place, str] = {}
    exports = _exports(table)
    for name in sorted(table):
        if _private(name):
            continue
        module = table[name]
        own = {definition.name for definition in module.definitions}
        for alias, place in exports[name].items():
            listed = alias in module.public if module.public is not None else alias in own or module.is_package
            if alias.startswith("_") or not listed or place[0].split(".")[0] != name.split(".")[0]:
                continue
            candidate = f"{name}.{alias}"
            held = best.get(place)
            if held is None or (candidate.count("."), len(candidate)) < (held.count("."), len(held)):
                best[place] = candidate
    found = []
    for name in sorted(table):
        for definition in table[name].definitions:
            top, _, rest = definition.name.partition(".")
            public = best.get((name, top))
            if public is not None:
                found.append((f"{public}.{rest}" if rest else public, definition))
    return found


def _exports(table: Mapping[str, Module]) -> dict[str, dict[str, Place]]:
    """What ``from name import ...`` can give, for every module: public name -> where it is defined.

    Modules import each other in circles, so this is a fixed point: names travel one import further in each round.
    """
    exports: dict[str, dict[str, Place]] = {
        name: {top: (name, top) for top in {one.name.partition(".")[0] for one in module.definitions}}
        for name, module in table.items()
    }
    waiting = True
    while waiting:
        waiting = False
        for name, module in table.items():
            found = exports[name]
            before = len(found)
            for base, item, alias in module.imports:
                there = exports.get(base)
                if there is None or there is found:
                    continue
                if item == "*":
                    listed = table[base].public
                    for one in there if listed is None else listed:
                        if one in there and not one.startswith("_"):
                            found.setdefault(one, there[one])
                elif item in there:
                    found.setdefault(alias, there[item])
            waiting = waiting or len(found) > before
    return exports


def _private(name: str) -> bool:
    return any(part.startswith("_") for part in name.split("."))
