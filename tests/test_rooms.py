"""The rooms of the house: which package may import which. Read from the sources, so that lazy imports count, too."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

import fat_fpga

PACKAGE = Path(fat_fpga.__file__).parent
DOOR = "fat_fpga"
"""The package's own ``__init__``, through which users come; it knows every room, and rooms take nothing from it but
the version."""

FORBIDDEN = {
    "network": {"faults", "engines", "campaign", "reports", "hardening", "finn", "board", "training"},
    "faults": {"engines", "campaign", "reports", "hardening", "finn", "board", "training", "datasets"},
    "engines": {"campaign", "reports", "hardening", "finn", "board", "training", "datasets"},
    "datasets": {"network", "faults", "engines", "campaign"},
    "workers": {"network", "faults", "engines", "datasets", "campaign", "crosscheck"},
    "campaign": {"reports", "hardening", "crosscheck", "finn", "board"},
    "fixed_point": {"faults", "campaign", "reports", "hardening", "finn", "board"},
}
"""What these rooms know nothing of."""


def room_of(module: str) -> str:
    """``fat_fpga.network.layers`` is in ``network``, ``fat_fpga.text`` a room of its own."""
    return module.split(".")[1] if "." in module else DOOR


def module_of(path: Path) -> str:
    parts = [DOOR, *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(source: str) -> Iterator[tuple[int, str, str]]:
    """Every import of ours, wherever it stands: its line, the module, and the name that is taken from it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            if node.module and node.module.split(".")[0] == DOOR:
                for name in node.names:
                    inner = f"{node.module}.{name.name}"
                    yield node.lineno, inner if inner in MODULES else node.module, name.name
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] == DOOR:
                    yield node.lineno, name.name, ""


@cache
def edges() -> dict[str, dict[str, str]]:
    """By room the rooms that it imports, each with a place that does."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for module, path in MODULES.items():
        if module != DOOR:
            for line, imported, _ in imports_of(path.read_text()):
                if room_of(imported) != room_of(module):
                    found[room_of(module)].setdefault(room_of(imported), f"{module}:{line} imports {imported}")
    return found


@cache
def by_name() -> set[tuple[str, str]]:
    """Rooms that have the name of a module of another room in a string: it is loaded when it is asked for."""
    found = set()
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in MODULES and node.value != DOOR:
                found.add((room_of(module), room_of(str(node.value))))
    return {(room, target) for room, target in found if room != target}


def circle(graph: dict[str, dict[str, str]]) -> list[str]:
    """The imports of one circle; empty where there is none."""
    left = {room: set(targets) for room, targets in graph.items()}
    while free := [room for room, targets in left.items() if not targets & set(left)]:
        for room in free:
            del left[room]
    if not left:
        return []
    way = [min(left)]
    while way[-1] not in way[:-1]:
        way.append(min(left[way[-1]] & set(left)))
    way = way[way.index(way[-1]) :]
    return [graph[room][target] for room, target in pairwise(way)]


def test_there_are_no_circles() -> None:
    found = edges()
    assert {"network", "faults", "engines", "campaign", "cli", "text"} <= set(found) | {"text"}
    assert sum(map(len, found.values())) > 50
    assert circle(found) == []


def test_a_circle_would_be_found() -> None:
    graph = {"a": {"b": "a to b", "d": "a to d"}, "b": {"c": "b to c"}, "c": {"b": "c to b"}, "e": {"a": "e to a"}}
    assert circle(graph) == ["b to c", "c to b"]
    assert circle({"a": {"b": ""}, "b": {"c": ""}, "d": {"a": ""}}) == []
    inside = "def f():\n    from fat_fpga.cli import model\n    import fat_fpga.text\n"
    assert [(line, room_of(name)) for line, name, _ in imports_of(inside)] == [(2, "cli"), (3, "text")]


@pytest.mark.parametrize("room", FORBIDDEN)
def test_lower_rooms_know_nothing_of_upper_ones(room: str) -> None:
    known = edges()[room]
    assert {target: where for target, where in known.items() if target in FORBIDDEN[room]} == {}


def test_only_the_command_line_knows_the_command_line() -> None:
    importers = {room for room, targets in edges().items() if "cli" in targets}
    assert importers == {"__main__"}
    root = PACKAGE.parent
    others = [path for folder in ("benchmarks", "hw") for path in (root / folder).rglob("*.py")]
    if (root / "pyproject.toml").exists():
        assert others
    for path in others:
        for line, imported, _ in imports_of(path.read_text()):
            assert room_of(imported) != "cli", f"{path}:{line}"


def test_rooms_take_nothing_from_the_door_but_the_version() -> None:
    for module, path in MODULES.items():
        for line, imported, name in imports_of(path.read_text()):
            assert imported != DOOR or name == "__version__" or module == DOOR, f"{module}:{line} takes {name}"
