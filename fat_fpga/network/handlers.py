"""What a room does where it has no handler for a kind of layer: it says so, with the layer's name.

A room that treats kinds of layers differently has a function under `functools.singledispatch` and registers a handler
for each kind. The function itself, which is called for all other kinds, raises `no_handler`.
"""

from __future__ import annotations

from typing import TypeVar

from fat_fpga.errors import FatFpgaError
from fat_fpga.network.layers import Layer

E = TypeVar("E", bound=FatFpgaError)


def no_handler(room: str, layer: Layer, error: type[E]) -> E:
    """The error that ``room`` (``the reference engine``) has nothing yet for the kind of a layer."""
    return error(f"{layer.name}: {room} has no {type(layer).__name__} yet")
