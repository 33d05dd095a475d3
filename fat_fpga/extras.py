"""Optional packages: which extra of fat_fpga brings them, and what a user types to get them."""

from __future__ import annotations

from importlib.util import find_spec


def installed(package: str) -> bool:
    """Whether a package can be imported here; it is not imported."""
    return find_spec(package) is not None


def advice(extra: str) -> str:
    """How an extra is installed, as the end of a message."""
    return f"pip install '.[{extra}]' in the folder of fat_fpga's sources"
