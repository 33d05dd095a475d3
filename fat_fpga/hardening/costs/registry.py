"""Every cost model, by name; a new one is a file of its own and a line here, or a plug-in of another package."""

from __future__ import annotations

from typing import Any

from fat_fpga.errors import PlanError
from fat_fpga.hardening.costs.finn import FinnModel
from fat_fpga.hardening.costs.folded import FoldedModel
from fat_fpga.hardening.costs.macs import MacsModel
from fat_fpga.hardening.costs.model import CostModel
from fat_fpga.plugins import PlugInError, PlugIns, need

_ALL: tuple[type[CostModel], ...] = (MacsModel, FoldedModel, FinnModel)
_OURS = {model.name: model for model in _ALL}


def names() -> list[str]:
    """The names of all cost models, those of other packages last. None of these is imported."""
    return [*_OURS, *_THEIRS.names()]


def cost_model(name: str) -> type[CostModel]:
    """The class of a cost model; PlanError lists the known ones, or says why that of a package cannot be used."""
    found = _THEIRS.load(name) or _OURS.get(name)
    if found is None:
        raise PlanError(f"unknown cost model '{name}': known are {', '.join(names())}")
    return found


def default_model(board: bool, folding: bool) -> type[CostModel]:
    """What a plan counts if nothing is said: what a part has where one is given, else lanes under a folding."""
    return FinnModel if board else FoldedModel if folding else MacsModel


def part_models() -> str:
    """Ours that count what a part has, for messages."""
    return " or ".join(name for name, model in _OURS.items() if model.parts)


def _model(name: str, found: Any) -> type[CostModel]:
    """The class of an entry point; PlugInError where it is no cost model of that name."""
    if not isinstance(found, type):
        raise PlugInError("it is no class")
    need(
        found,
        (("name", str), ("title", str), ("folded", bool), ("parts", bool)),
        ("of", "price", "resources", "sources", "between"),
    )
    model: type[CostModel] = found
    if model.name != name:
        raise PlugInError(f"its 'name' is '{model.name}': the entry point has to have the same name")
    return model


_THEIRS = PlugIns("fat_fpga.costs", "cost model", PlanError, lambda: _OURS, _model)
