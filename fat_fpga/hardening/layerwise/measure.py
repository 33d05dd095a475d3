"""What can be done about faults in a layer, alone or together: ``secded``, ``parity``, ``tmr``, ``clip``."""

from __future__ import annotations

from typing import NamedTuple

from fat_fpga.errors import PlanError
from fat_fpga.faults.codes import CODES

NONE, TMR, CLIP = "none", "tmr", "clip"
JOIN = "+"
NAMES = (*CODES, TMR, CLIP)


class Measures(NamedTuple):
    """Measures in a layer.

    Attributes:
        code: over the weight memory, a name of `CODES`; empty for none.
        tmr: every channel three times, and a voter.
        clip: activations above a bound become 0. It changes what the network computes, so a network has it in all
            layers or in none: what was measured is the network with it.
    """

    code: str = ""
    tmr: bool = False
    clip: bool = False

    def __str__(self) -> str:
        return JOIN.join(filter(None, (CLIP * self.clip, TMR * self.tmr, self.code))) or NONE


def read_measures(text: str) -> Measures:
    """From ``secded``, ``clip+parity``; PlanError lists what there is."""
    names = text.split(JOIN)
    codes = [name for name in names if name in CODES]
    unknown = [name for name in names if name not in NAMES]
    if unknown or len(codes) > 1 or len(set(names)) < len(names):
        what = f"'{unknown[0]}'" if unknown else f"'{text}', which has two codes or one measure twice"
        raise PlanError(f"measures are {', '.join(NAMES)}, at most one of each and one code, joined by +; got {what}")
    return Measures(codes[0] if codes else "", TMR in names, CLIP in names)
