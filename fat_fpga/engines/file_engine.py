"""The file engine, the user's own judge: the user's file, with the fault in its own graph, executed by qonnx.

The qonnx engine executes the network that we made of a file; this one executes the file. Nothing of ours computes an
activation, and nothing of ours decides on a threshold: the file's own nodes do, on the sums that the fault gives. What
is compared is whether lowering understood the file, fault-free and under faults. Slow, and meant for cross-checks.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx

from fat_fpga.engines.engine import Images, Labels, Outcome, Progress, check_images, outcome_of
from fat_fpga.engines.exact import FLOAT32, largest_sum
from fat_fpga.engines.file_graph import FileGraph
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, Change, changes_of, check_faults, memory_fingerprint, places
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray, Shape

if TYPE_CHECKING:
    from fat_fpga.network.lowering.pixels import Pixels
    from fat_fpga.network.lowering.sites import ImageSite


class FileEngine:
    """Executes a QONNX file.

    Args:
        path: the file.
        pixels, image_shape: as for `fat_fpga.network.load_network`.

    Raises:
        ModelError: the file cannot be read or lowered.
    """

    name = "file"

    def __init__(self, path: str | PathLike[str], pixels: Pixels = "auto", image_shape: Shape | None = None) -> None:
        from fat_fpga.network.lowering.load import load_with_sites

        self.path = Path(path)
        network, self._sites = load_with_sites(self.path, None, pixels, image_shape)
        self.network = network.fault_free
        self._base = _with_shapes(self._sites.model, self._sites.image)
        self._wide = _too_wide(self.network)

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
        self._check(network)
        check_images(network, images, labels)
        check_faults(network, faults, len(images))
        changes = [changes_of(network, [fault]) for fault in faults]
        golden = np.empty(len(images), np.int32)
        table = np.empty((len(faults), len(images)), np.int32)
        for block in self._blocks(images):
            golden[block] = self._classes(self._execute(images[block], (), block.start), block.stop - block.start)
            for f, change in enumerate(changes):
                tensors = self._execute(images[block], change, block.start)
                table[f, block] = self._classes(tensors, block.stop - block.start)
            if progress:
                progress(block.stop)
        return outcome_of(golden, table, labels, predictions)

    def trace(self, network: Network, images: Images, fault: AnyFault | None = None) -> dict[str, IntArray]:
        self._check(network)
        faults = [] if fault is None else [fault]
        check_faults(network, faults, len(images))
        changes = changes_of(network, faults)
        found = [
            self._streams(self._execute(images[block], changes, block.start), block.stop - block.start)
            for block in self._blocks(images)
        ]
        return {place: np.concatenate([streams[place] for streams in found]) for place in found[0]}

    def refuses(self, fault: AnyFault) -> str | None:
        """Why the file has no place for this fault; None where it has one."""
        if all(place.levels is None or place.name in self._sites.streams for place in places(self.network).values()):
            return None
        try:
            FileGraph(self._base, self.network, self._sites, changes_of(self.network, [fault]), 0)
        except EngineError as error:
            return str(error)
        return None

    def _blocks(self, images: Images) -> list[slice]:
        """As many images at once as the file takes."""
        step = self._sites.image.batch
        return [slice(start, min(start + step, len(images))) for start in range(0, len(images), step)]

    def _check(self, network: Network) -> None:
        if memory_fingerprint(network) != memory_fingerprint(self.network):
            raise EngineError(f"the file engine executes {self.path}, and {network.name} is another network")
        if self._wide is not None:
            raise EngineError(f"{self._wide}: its accumulators do not fit in float32, which the file computes in")

    def _execute(self, images: Images, changes: Sequence[Change], first_frame: int) -> dict[str, npt.NDArray[Any]]:
        """Every tensor of the file for a block of images, by name."""
        from qonnx.core.modelwrapper import ModelWrapper
        from qonnx.core.onnx_exec import execute_onnx

        graph = FileGraph(self._base, self.network, self._sites, changes, first_frame)
        values = {self._sites.image.tensor: self._sites.image.values(images)}
        try:
            with warnings.catch_warnings():  # qonnx's, on names of domains and the like
                warnings.simplefilter("ignore")
                found: dict[str, npt.NDArray[Any]] = execute_onnx(ModelWrapper(graph.model), values, True)
        except Exception as error:  # qonnx raises what it likes
            raise EngineError(f"qonnx cannot execute {self.path}: {' '.join(str(error).split())}") from error
        return found | {tensor: found[name] for tensor, name in graph.renamed.items()}

    def _classes(self, tensors: dict[str, npt.NDArray[Any]], count: int) -> npt.NDArray[np.int32]:
        if self._sites.choice is not None:
            chosen: npt.NDArray[np.int32] = tensors[self._sites.choice].reshape(-1)[:count].astype(np.int32)
            return chosen
        scores = tensors[self._sites.scores].reshape(-1, self.network.classes)[:count]
        best: npt.NDArray[np.int32] = scores.argmax(axis=1).astype(np.int32)
        return best

    def _streams(self, tensors: dict[str, npt.NDArray[Any]], count: int) -> dict[str, IntArray]:
        """The streams that the file shows, int32 [N, C, H, W] by place in network order, the class scores last."""
        found = {}
        for place in places(self.network).values():
            if place.levels is not None and place.name in self._sites.streams:
                site = self._sites.streams[place.name]
                steps = tensors[site.tensor][:count].astype(np.float64) / site.scale - site.shift
                found[place.name] = _ordered(steps, site.index, place.shape)
            elif place.levels is None:
                unit = self._sites.units[place.name]
                affine = np.array([unit.affine(channel) for channel in range(place.shape[0])])[unit.channels]
                sums = (tensors[unit.tensor][:count].astype(np.float64) - affine[..., 0]) / affine[..., 1]
                found[place.name] = _ordered(sums, unit.index, place.shape)
        return found


def _too_wide(network: Network) -> str | None:
    """The first unit whose sums float32 does not hold."""
    for place in places(network).values():
        if place.unit is not None and largest_sum(place.unit, (place.source.min, place.source.max)) >= FLOAT32:
            return place.name
    return None


def _ordered(values: npt.NDArray[np.float64], index: npt.NDArray[np.intp], shape: Shape) -> IntArray:
    """Values [N, ...] in the file's order as integers [N, C, H, W]."""
    flat = np.empty((len(values), index.size), np.int32)
    flat[:, index.ravel()] = np.rint(values).reshape(len(values), -1)
    return flat.reshape(-1, *shape)


def _with_shapes(model: onnx.ModelProto, image: ImageSite) -> onnx.ModelProto:
    """The model with the shape of every tensor, as qonnx finds them.

    The image is its only input then, and takes as many at once as its site says, also where the file leaves that open.
    """
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.infer_shapes import InferShapes

    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    graph = bare.graph
    for value in [value for value in graph.input if value.name != image.tensor]:
        graph.input.remove(value)  # constants, which exporters list as inputs too
    free = graph.input[0].type.tensor_type.shape.dim[0]
    if free.dim_value < 1:
        free.dim_value = image.batch
        del graph.value_info[:]  # they leave it open as well
        for output in graph.output:
            output.type.tensor_type.ClearField("shape")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shaped: onnx.ModelProto = ModelWrapper(bare).transform(InferShapes()).model
        return shaped
    except Exception as error:
        raise EngineError(f"qonnx cannot tell the shapes of its tensors: {' '.join(str(error).split())}") from error
