"""Engines by name. Each registers itself where it is defined; entry points name those of other packages."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from fat_fpga.arguments import checked
from fat_fpga.engines.engine import Engine
from fat_fpga.errors import EngineError
from fat_fpga.extras import installed

GROUP = "fat_fpga.engines"
"""Entry points of other packages: ``name = "package.module:EngineClass"``. Names of ours go before theirs."""

_MODULES = (
    "fat_fpga.engines.native_engine",
    "fat_fpga.engines.reference",
    "fat_fpga.engines.torch_engine",
    "fat_fpga.engines.qonnx_engine",
    "fat_fpga.engines.file_engine",
    "fat_fpga.finn.engine",
    "fat_fpga.board.engine",
)
"""Where engines register themselves. What is heavy is imported when one is opened, not here."""

_REGISTERED: dict[str, type[Engine]] = {}
_E = TypeVar("_E", bound=type[Engine])


def register(engine: _E) -> _E:
    """Make an engine known by its name; a decorator of its class."""
    _REGISTERED[engine.name] = engine
    return engine


def names() -> list[str]:
    """The names of all engines, those of other packages last."""
    return [*_ours(), *(name for name in _theirs() if name not in _ours())]


def forms() -> list[str]:
    """How engines may be written: ``native``, ``torch:cuda``, ``board:FOLDER``, ...; by name alone for those of other
    packages, which are not imported for it."""
    ours = _ours()
    return [*(form for engine in ours.values() for form in engine.forms), *(n for n in names() if n not in ours)]


@checked
def get(name: str = "native", threads: int | None = None) -> Engine:
    """The engine called ``name``; ``torch:cuda`` is the torch engine on a GPU, ``file:PATH`` executes the file that the
    network comes from, ``board:FOLDER`` is a board, or a simulated one.

    Args:
        threads: of the engines native and torch (on the CPU; of all torch engines in this process); by default as many
            as there are cores. The other engines have no such number and leave it alone.

    Raises:
        EngineError: there is no such engine, or it cannot run on this machine.
        BoardError: there is no such board, or it is not what its description says.
    """
    word, _, option = name.partition(":")
    for module in _MODULES:
        if word not in _REGISTERED:
            import_module(module)
    if word in _REGISTERED:
        found = _REGISTERED[word].of(option)
    elif word in _theirs():
        found = _loaded(_theirs()[word]).of(option)
    else:
        raise EngineError(f"unknown engine '{name}': known are {', '.join(forms())}")
    return found if threads is None else found.with_threads(threads)


def default_judges() -> list[str]:
    """Engines that a cross-check takes by default: those that are installed here."""
    return ["native", "torch" if installed("torch") else "reference", "qonnx"]


def _ours() -> dict[str, type[Engine]]:
    for module in _MODULES:
        import_module(module)
    order = {module: number for number, module in enumerate(_MODULES)}  # one may import another
    return dict(sorted(_REGISTERED.items(), key=lambda entry: order.get(entry[1].__module__, len(order))))


def _theirs() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _loaded(point: EntryPoint) -> type[Engine]:
    """The class of an entry point; EngineError where it is none or cannot be imported."""
    try:
        engine = point.load()
    except Exception as error:  # of code that is not ours
        raise EngineError(f"engine '{point.name}': {point.value} cannot be imported: {error}") from error
    if not (isinstance(engine, type) and issubclass(engine, Engine)):
        raise EngineError(f"engine '{point.name}': {point.value} is no subclass of fat_fpga.engines.Engine")
    return engine
