"""Training of the Brevitas networks. Everything but `Recipe` needs the training extra (torch, Brevitas)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fat_fpga.training.recipe import Recipe, paper_recipe

if TYPE_CHECKING:
    from fat_fpga.training.callbacks import Callback
    from fat_fpga.training.trainer import TrainingResult, train

__all__ = ["Callback", "Recipe", "TrainingResult", "paper_recipe", "train"]


def __getattr__(name: str) -> Any:
    if name == "Callback":
        from fat_fpga.training.callbacks import Callback

        return Callback
    if name in ("TrainingResult", "train"):
        from fat_fpga.training import trainer

        return getattr(trainer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
