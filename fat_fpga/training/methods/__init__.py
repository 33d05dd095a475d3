"""The methods of training, by name."""

from __future__ import annotations

from fat_fpga.arguments import checked
from fat_fpga.errors import TrainingError
from fat_fpga.training.methods.dropout2d import Dropout2d
from fat_fpga.training.methods.fat1 import Fat1
from fat_fpga.training.methods.fat2 import Fat2
from fat_fpga.training.methods.method import Method
from fat_fpga.training.methods.sat import Sat

__all__ = ["METHODS", "Dropout2d", "Fat1", "Fat2", "Method", "Sat", "make_method"]

METHODS: dict[str, type[Method]] = {method.name: method for method in (Sat, Fat1, Fat2, Dropout2d)}


@checked
def make_method(
    name: str, p: float | None = None, error_model: str | None = None, schedule: str | None = None
) -> Method:
    """The method called ``name``; a setting that is ``None`` is left to the method.

    Args:
        name: a key of `METHODS`.
        p: probability of an error, in percent.
        error_model: ``"channel"`` (default), ``"pixel"`` or ``"element"``.
        schedule: ``"constant"`` (default), ``"linear:END"`` or ``"step:EPOCH=P,..."``.

    Raises:
        TrainingError: an unknown name, a missing p, or settings that the method does not take.
    """
    if name not in METHODS:
        raise TrainingError(f"unknown method {name!r}; known methods: {', '.join(METHODS)}")
    settings = {"p": p, "error_model": error_model, "schedule": schedule}
    return METHODS[name](**{key: value for key, value in settings.items() if value is not None})  # type: ignore[arg-type]
