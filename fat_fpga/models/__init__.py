"""The Brevitas networks, their export to QONNX, and the trained networks that come with the package.

Importing this package needs neither torch nor Brevitas; `build` and `export_qonnx` load them when called.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError
from fat_fpga.extras import advice
from fat_fpga.models.family import is_name, known, names, spec
from fat_fpga.models.topology import NetworkSpec

if TYPE_CHECKING:
    from fat_fpga.models.builder import FamilyNetwork

warnings.filterwarnings("ignore", message="fast_hadamard_transform package not found")  # Brevitas, at import

__all__ = ["NetworkSpec", "build", "is_name", "known", "names", "spec"]


@checked
def build(name: str, classes: int = 10) -> FamilyNetwork:
    """Build a network of the family with fresh weights (drawn from torch's global generator).

    Raises:
        ModelError: the name is unknown, ``classes`` is below 2, or the training extra is not installed.
    """
    wanted = spec(name, classes)
    try:
        from fat_fpga.models.builder import assemble
    except ModuleNotFoundError as error:
        raise ModelError(f"building {name} needs the package {error.name}: {advice('train')}") from error
    return assemble(wanted)
