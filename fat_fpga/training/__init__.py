"""Training of Brevitas networks, fault-aware or not. Everything but `Recipe` needs the training extra."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fat_fpga.training.recipe import Recipe, paper_recipe

if TYPE_CHECKING:
    from fat_fpga.training.callbacks import Callback
    from fat_fpga.training.fault_aware import FaultAware
    from fat_fpga.training.injection import insert_injectors, remove_injectors
    from fat_fpga.training.methods import make_method
    from fat_fpga.training.trainer import TrainingResult, train

__all__ = [
    "Callback",
    "FaultAware",
    "Recipe",
    "TrainingResult",
    "insert_injectors",
    "make_method",
    "paper_recipe",
    "remove_injectors",
    "train",
]

_HOMES = {
    "Callback": "callbacks",
    "FaultAware": "fault_aware",
    "TrainingResult": "trainer",
    "insert_injectors": "injection",
    "make_method": "methods",
    "remove_injectors": "injection",
    "train": "trainer",
}
"""In which module each name is that needs torch."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
