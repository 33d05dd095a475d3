"""A bit of threshold memory, flipped or stuck (the MVTU's thresholds: Zahid et al. 2020, section II, Figure 1).

Permanent for the whole data set, as with weights. The activation counts the thresholds that are met, in whatever
order the fault leaves them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fat_fpga.faults.changes import Change, ChangedThreshold
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.memory import UnitBits, held, unit_at
from fat_fpga.faults.place import Place
from fat_fpga.faults.register import stored_threshold, threshold_register
from fat_fpga.network import MatrixVectorUnit, Network


class ThresholdBit(UnitBits):
    kind = "threshold"
    cause = "a bit of the threshold memory"
    axes = ("channel", "threshold")

    def words(self, place: Place, unit: MatrixVectorUnit) -> tuple[tuple[int, ...], int] | None:
        if unit.thresholds is None:
            return None
        return unit.thresholds.shape, threshold_register(unit, place.source).bits

    def changes(self, network: Network, fault: Fault) -> Sequence[Change]:
        place, unit = unit_at(network, fault)
        assert fault.bit is not None
        channel, index = fault.index
        old = stored_threshold(unit, place.source, channel, index)
        value = int(threshold_register(unit, place.source).change(np.array(old), fault.bit, held(fault)))
        return () if value == old else (ChangedThreshold(unit.name, (channel, index), value),)
