"""What a room does where it has no handler for a kind of layer: it says so, with the layer's name.

A room that treats kinds of layers differently has a function under `singledispatch` and registers a handler for each
kind. The function itself, which is called for all other kinds, raises `no_handler`.

Other packages have operators, too: an entry point of the group ``fat_fpga.operators`` names a module that registers
handlers where it is imported. Rooms do so when they first meet a layer that they have no handler for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from fat_fpga.errors import FatFpgaError, ModelError
from fat_fpga.network.layers import Layer
from fat_fpga.plugins import PlugInError, PlugIns

E = TypeVar("E", bound=FatFpgaError)

if TYPE_CHECKING:
    from functools import singledispatch as singledispatch
else:

    def singledispatch(otherwise: Callable[..., Any]) -> Any:
        """As `functools.singledispatch`, but other packages' operators are imported before ``otherwise`` is called."""

        @functools.wraps(otherwise)
        def once_more(layer: Layer, *rest: Any, **named: Any) -> Any:
            load_operators()
            found = table.dispatch(type(layer))
            return (otherwise if found is once_more else found)(layer, *rest, **named)

        table = functools.singledispatch(once_more)
        return table


def load_operators() -> None:
    """Import the operators of other packages, each once; ModelError where one is broken."""
    for name in _THEIRS.names():
        _THEIRS.load(name)


def _types(module: str = "") -> list[str]:
    """The words for the kinds of layers that are defined in a package."""
    kinds = list(Layer.__subclasses__())
    for kind in kinds:
        kinds += kind.__subclasses__()
    named = [kind for kind in kinds if hasattr(kind, "type")]  # a base that several kinds have in common has none
    return [kind.type for kind in named if f"{kind.__module__}.".startswith(module)]


def _operator(name: str, found: Any) -> ModuleType:
    """The module of an entry point, after its import; PlugInError where no operator of that name came with it."""
    if not isinstance(found, ModuleType):
        raise PlugInError("it is no module: write my_package.my_operator, without a colon")
    if name not in _types():
        raise PlugInError(f"no kind of layer has the 'type' '{name}': the entry point has to have the same name")
    return found


_THEIRS = PlugIns("fat_fpga.operators", "operator", ModelError, lambda: _types("fat_fpga."), _operator)


def no_handler(room: str, layer: Layer, error: type[E]) -> E:
    """The error that ``room`` (``the reference engine``) has nothing yet for the kind of a layer."""
    return error(f"{layer.name}: {room} has no {type(layer).__name__} yet")
