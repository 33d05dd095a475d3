"""The torch engine: batches of faults in PyTorch, on the CPU or on a GPU, with the same code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fat_fpga.engines.engine import Images, Labels, Outcome, Progress, check_images, outcome_of
from fat_fpga.engines.reference import classes
from fat_fpga.engines.torch_layers import exact_products
from fat_fpga.engines.torch_walk import Walk
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, changes_of, check_faults
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray

_BLOCK = 128  # images at a time
_ROWS = {"cpu": 1024, "cuda": 4096}  # of a batch of faults; some 5 GB for CNV


class TorchEngine:
    """Exact campaigns in PyTorch.

    Args:
        device: ``cpu`` or ``cuda``.
        rows: faults times images that are computed at once; fewer take less memory.

    Raises:
        EngineError: there is no such device, or PyTorch cannot use it here.
    """

    name = "torch"

    def __init__(self, device: str = "cpu", rows: int | None = None) -> None:
        if device not in _ROWS:
            raise EngineError(f"the torch engine runs on cpu or cuda, not on '{device}'")
        if device == "cuda" and not torch.cuda.is_available():
            raise EngineError("torch:cuda: PyTorch finds no CUDA device here; use torch, which runs on the CPU")
        self.device = torch.device(device)
        self.rows = rows or _ROWS[device]

    def run(
        self,
        network: Network,
        images: Images,
        labels: Labels,
        faults: Sequence[AnyFault],
        *,
        predictions: bool = False,
        progress: Progress | None = None,
    ) -> Outcome:
        check_images(network, images, labels)
        check_faults(network, faults, len(images))
        changes = [changes_of(network, [fault]) for fault in faults]
        golden = np.empty(len(images), np.int32)
        table = np.empty((len(faults), len(images)), np.int32)
        with exact_products():
            walk = Walk(network, [change for part in changes for change in part], self.device)
            for start in range(0, len(images), _BLOCK):
                block = slice(start, min(start + _BLOCK, len(images)))
                streams = walk.streams(images[block])
                golden[block] = _classes(streams[network.units[-1].name])
                table[:, block] = golden[block]
                step = max(1, self.rows // (block.stop - start))
                for first in range(0, len(faults), step):
                    rows = walk.scores(streams, changes[first : first + step], start)
                    at = first + rows.fault.cpu().numpy(), start + rows.image.cpu().numpy()
                    table[at] = _classes(rows.values)
                if progress:
                    progress(block.stop)
        return outcome_of(golden, table, labels, predictions)

    def trace(self, network: Network, images: Images, fault: AnyFault | None = None) -> dict[str, IntArray]:
        faults = [] if fault is None else [fault]
        check_faults(network, faults, len(images))
        changes = changes_of(network, faults)
        found: dict[str, list[IntArray]] = {}
        with exact_products():
            walk = Walk(network, changes, self.device)
            for start in range(0, len(images), _BLOCK):
                streams = walk.streams(images[start : start + _BLOCK])
                for place, rows in walk.faulty(streams, [changes], start):
                    stream = streams[place].clone()
                    stream[rows.image] = rows.values
                    found.setdefault(place, []).append(stream.cpu().numpy())
        return {place: np.concatenate(blocks) for place, blocks in found.items()}


def _classes(scores: Tensor) -> npt.NDArray[np.int32]:
    return classes(scores.cpu().numpy())
