"""PyTorch modules as subjects of campaigns: any layers, float and fixed-point formats, hidden states.

>>> from fat_fpga import fault_space, run_campaign
>>> from fat_fpga.modules import ModuleSubject
>>> subject = ModuleSubject(model.eval(), (3, 32, 32))                            # doctest: +SKIP
>>> run = run_campaign(subject, data, fault_space(subject, "weight")[:1000])      # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fat_fpga.foreign_module import load_module

if TYPE_CHECKING:
    from fat_fpga.modules.subject import ModuleSubject

__all__ = ["ModuleSubject", "load_module"]


def __getattr__(name: str) -> Any:
    """`ModuleSubject` needs torch; the names of engines, among which ours is, are asked for without it."""
    if name != "ModuleSubject":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from fat_fpga.modules.subject import ModuleSubject

    return ModuleSubject
