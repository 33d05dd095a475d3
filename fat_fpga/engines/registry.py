"""Engines by name. Each registers itself where it is defined; entry points name those of other packages."""

from __future__ import annotations

from importlib import import_module
from typing import Any, TypeVar

from fat_fpga.arguments import checked
from fat_fpga.engines.engine import Engine
from fat_fpga.errors import EngineError
from fat_fpga.extras import installed
from fat_fpga.faults import AnySubject
from fat_fpga.network import Network
from fat_fpga.plugins import PlugInError, PlugIns, need

_MODULES = (
    "fat_fpga.engines.native_engine",
    "fat_fpga.engines.reference",
    "fat_fpga.engines.torch_engine",
    "fat_fpga.engines.qonnx_engine",
    "fat_fpga.engines.file_engine",
    "fat_fpga.modules.engine",
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
    return list(dict.fromkeys((*_known(), *_THEIRS.names())))


def forms() -> list[str]:
    """How engines may be written: ``native``, ``torch:cuda``, ``board:FOLDER``, ...; by name alone for those of other
    packages, which are not imported for it."""
    known = _known()
    theirs = [name for name in _THEIRS.names() if name not in known]
    return [*(form for engine in known.values() for form in engine.forms), *theirs]


@checked
def get(name: str = "native", threads: int | None = None) -> Engine:
    """The engine called ``name``; ``torch:cuda`` is the torch engine on a GPU, ``file:PATH`` executes the file that the
    network comes from, ``board:FOLDER`` is a board, or a simulated one.

    Args:
        threads: of the engines native and torch (on the CPU; of all torch engines in this process); by default as many
            as there are cores. The other engines have no such number and leave it alone.

    Raises:
        EngineError: there is no such engine, it cannot run on this machine, or its package is broken.
        BoardError: there is no such board, or it is not what its description says.
    """
    word, _, option = name.partition(":")
    for module in _MODULES:
        if word not in _REGISTERED:
            import_module(module)
    engine = _THEIRS.load(word) or _REGISTERED.get(word)
    if engine is None:
        raise EngineError(f"unknown engine '{name}': known are {', '.join(forms())}")
    found = engine.of(option)
    return found if threads is None else found.with_threads(threads)


@checked
def default_engine(subject: AnySubject) -> str:
    """Name of the engine that executes a subject where none is asked for."""
    return "native" if isinstance(subject, Network) else subject.engine


def default_judges() -> list[str]:
    """Engines that a cross-check takes by default: those that are installed here."""
    return ["native", "torch" if installed("torch") else "reference", "qonnx"]


def _known() -> dict[str, type[Engine]]:
    """Those that have registered themselves, ours in the order of their modules."""
    for module in _MODULES:
        import_module(module)
    order = {module: number for number, module in enumerate(_MODULES)}  # one may import another
    return dict(sorted(_REGISTERED.items(), key=lambda entry: order.get(entry[1].__module__, len(order))))


def _engine(name: str, found: Any) -> type[Engine]:
    """The class of an entry point; PlugInError where it is no engine of that name."""
    if not (isinstance(found, type) and issubclass(found, Engine)):
        raise PlugInError("it is no subclass of fat_fpga.engines.Engine")
    need(found, (("name", str), ("forms", tuple)), ())
    if found.name != name:
        raise PlugInError(f"its 'name' is '{found.name}': the entry point has to have the same name")
    return found


def _ours() -> list[str]:
    """The names of the engines of this package; those that a program registers itself may be plug-ins, too."""
    return [name for name, engine in _known().items() if engine.__module__ in _MODULES]


_THEIRS = PlugIns("fat_fpga.engines", "engine", EngineError, _ours, _engine)
