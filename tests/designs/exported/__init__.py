"""Small networks as people build them with Brevitas and torch, and the files that these export."""

from tests.designs.exported import activations, branches, heads, shapes
from tests.designs.exported.design import DESIGNS, Design

__all__ = ["DESIGNS", "Design", "activations", "branches", "heads", "shapes"]
