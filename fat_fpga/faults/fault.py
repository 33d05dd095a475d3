"""A fault: an address in the network and an effect, with one text form."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fat_fpga.errors import FaultError

_FORM = re.compile(
    r"\s*(?P<layer>[\w.]+)\s*/\s*(?P<kind>\w+)\s*\[\s*(?P<index>\d+(?:\s*,\s*\d+)*)\s*\]\s*=\s*(?P<value>[+-]?\d+)\s*"
)


@dataclass(frozen=True, order=True)
class Fault:
    """``layer/kind[index] = value``, for example ``conv1/channel[17] = +1``.

    Attributes:
        layer: name of a layer of the network.
        kind: name of a fault model.
        index: where in the layer, as the fault model defines it.
        value: the activation level that the place is stuck at.
    """

    layer: str
    kind: str
    index: tuple[int, ...]
    value: int

    def __str__(self) -> str:
        value = f"{self.value:+d}" if self.value else "0"
        return f"{self.layer}/{self.kind}[{','.join(map(str, self.index))}] = {value}"

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read the text form; FaultError if it is none."""
        found = _FORM.fullmatch(text)
        if not found:
            raise FaultError(
                f"cannot read fault '{text}': expected layer/kind[index] = value, as conv1/channel[17] = +1"
            )
        index = tuple(int(i) for i in found["index"].split(","))
        return cls(found["layer"], found["kind"], index, int(found["value"]))
