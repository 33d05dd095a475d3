"""Attributes of FINN's hardware layers."""

from __future__ import annotations

from typing import Any

from fat_fpga.network.lowering.graph import Node, attributes, refuse


def option(node: Node, name: str, default: Any = None) -> Any:
    """The value of an attribute; ModelError where there is none, and no default."""
    value = attributes(node).get(name, default)
    if value is None:
        raise refuse(node, f"it has no attribute {name}: the file is damaged")
    return value


def sizes_of(node: Node, name: str) -> tuple[int, int]:
    """Height and width in an attribute; the first versions have one number for both."""
    value = option(node, name)
    found = [int(size) for size in value] if isinstance(value, list | tuple) else [int(value)] * 2
    return found[0], found[-1]
