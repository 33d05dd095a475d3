"""What makes two campaigns the same one: model, data and fault list."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from fat_fpga.campaign.digest import fault_list_digest
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines.criteria import COST, PREFIX
from fat_fpga.errors import FaultError
from fat_fpga.faults import AnyFault, AnySubject, Pattern, fault_model, memory_fingerprint, parse_fault, places
from fat_fpga.faults.registry import meets_thresholds
from fat_fpga.network import Network
from fat_fpga.network.operators.threshold_logic import COUNT


def ordered(network: AnySubject, faults: Sequence[AnyFault]) -> list[AnyFault]:
    """The faults in the one order that stores and reports use: layer, kind, index, effect; layers as in the network,
    sets of faults by their first.

    Raises:
        FaultError: no faults at all, or one that is named twice.
    """
    if not faults:
        raise FaultError("no faults: a campaign needs at least one")
    twice = [fault for fault, count in Counter(faults).items() if count > 1]
    if twice:
        raise FaultError(f"a campaign takes each fault once, but {twice[0]} is listed {faults.count(twice[0])} times")
    place = {name: i for i, name in enumerate(places(network))}
    patterns = [fault for fault in faults if isinstance(fault, Pattern)]
    if patterns and len(patterns) < len(faults):
        raise FaultError(f"patterns are in a campaign of their own, and {patterns[0]} is among other faults")

    def key(fault: AnyFault) -> tuple[object, ...]:
        if isinstance(fault, Pattern):
            return (place.get(fault.layers[0], -1), fault.layer, fault.kind, fault.what, fault.rate, fault.sample)
        parts = fault.faults
        return (place.get(parts[0].layer, -1), fault.kind, fault.layer, *(part.sort_key for part in parts))

    return sorted(faults, key=key)


@dataclass(frozen=True)
class Identity:
    """Names for people, hashes for the comparison. All hashes are SHA-256 in hexadecimal.

    Attributes:
        images: number of images.
        fault_list: hash over the text forms of the ordered faults.
        asked: number of faults.
        memory_fingerprint: of the network, where faults change bits of its memories and registers; else empty.
        counting: what is counted beside right and changed classes, separated by commas; see `fat_fpga.engines.counts`.
        thresholds: how the hardware finds levels (`Network.threshold_logic`), where faults are in threshold memories;
            else empty, and in files of older versions, which counted.
    """

    network: str
    network_fingerprint: str
    dataset: str
    dataset_fingerprint: str
    images: int
    fault_list: str
    asked: int
    memory_fingerprint: str = ""
    counting: str = ""
    thresholds: str = ""

    @classmethod
    def of(
        cls, network: AnySubject, dataset: Dataset, faults: Sequence[AnyFault], counting: Sequence[str] = ()
    ) -> Identity:
        """The identity of a campaign of ``faults``, which must be ``ordered``."""
        return cls(
            network=network.name,
            network_fingerprint=network.fingerprint,
            dataset=dataset.name,
            dataset_fingerprint=dataset.fingerprint,
            images=len(dataset.images),
            fault_list=fault_list_digest(list(map(str, faults))),
            asked=len(faults),
            memory_fingerprint=memory_fingerprint(network) if any(map(_changes_bits, faults)) else "",
            counting=",".join(counting),
            thresholds=network.threshold_logic if _in_thresholds(network, faults) else "",
        )

    def differences(self, other: Identity) -> list[str]:
        """What tells this campaign, found in a file, from the one that is asked for now; empty if they are the same."""
        found = []
        if self.network_fingerprint != other.network_fingerprint:
            found.append(
                f"the model is {self.network} ({self.network_fingerprint[:8]}) in the file "
                f"and {other.network} ({other.network_fingerprint[:8]}) now"
            )
        elif self.memory_fingerprint != other.memory_fingerprint:
            found.append(
                "the model computes the same, but its memories and registers hold "
                f"{self.memory_fingerprint[:8] or 'what an older version took them for'} in the file and "
                f"{other.memory_fingerprint[:8]} now"
            )
        if (self.thresholds or COUNT) != (other.thresholds or COUNT):
            found.append(f"thresholds are {self.thresholds or COUNT} in the file and {other.thresholds or COUNT} now")
        if (self.dataset_fingerprint, self.images) != (other.dataset_fingerprint, other.images):
            found.append(
                f"the data set is {self.dataset}, {self.images:,} images ({self.dataset_fingerprint[:8]}) in the file "
                f"and {other.dataset}, {other.images:,} images ({other.dataset_fingerprint[:8]}) now"
            )
        if self.fault_list != other.fault_list:
            found.append(
                f"the fault list has {self.asked:,} faults ({self.fault_list[:8]}) in the file "
                f"and {other.asked:,} faults ({other.fault_list[:8]}) now"
            )
        if self.counting != other.counting:
            found.append(
                f"beside right and changed classes it counts {counted(self.counting)} in the file and "
                f"{counted(other.counting)} now"
            )
        return found


def counted(counting: str) -> str:
    """What is counted, for people: a cost matrix by the beginning of its hash."""
    names = [
        f"{COST} ({hashlib.sha256(name.encode()).hexdigest()[:8]})" if name.startswith(PREFIX) else name
        for name in counting.split(",")
    ]
    return ",".join(names) or "nothing"


def _in_thresholds(network: AnySubject, faults: Sequence[AnyFault]) -> TypeGuard[Network]:
    """Whether a fault, or one that is in the network for good, is in a threshold memory."""
    if not isinstance(network, Network):
        return False
    present = parse_fault(network.fault).faults if network.fault else ()
    kinds = {kind for fault in (*faults, *present) for kind in _kinds(fault)}
    return any(map(meets_thresholds, kinds))


def _kinds(fault: AnyFault) -> Sequence[str]:
    return fault.kinds if isinstance(fault, Pattern) else [part.kind for part in fault.faults]


def _changes_bits(fault: AnyFault) -> bool:
    return any(fault_model(kind).traits.bits for kind in _kinds(fault))
