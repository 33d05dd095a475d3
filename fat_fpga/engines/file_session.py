"""The file engine, the user's own judge: the user's file, with the fault in its own graph, executed by qonnx.

The qonnx engine executes the network that we made of a file; this one executes the file. Nothing of ours computes an
activation, and nothing of ours decides on a threshold: the file's own nodes do, on the sums that the fault gives. What
is compared is whether lowering understood the file, fault-free and under faults. Slow, and meant for cross-checks.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx

from fat_fpga.engines.block import Streams
from fat_fpga.engines.exact import FLOAT32, largest_sum
from fat_fpga.engines.file_graph import FileGraph
from fat_fpga.engines.images import Images
from fat_fpga.engines.one_by_one import OneByOne
from fat_fpga.engines.qonnx_execution import execute
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, Change, changes_of, memory_fingerprint, places
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray, Shape

if TYPE_CHECKING:
    from fat_fpga.network.lowering.pixels import Normalise, Outputs, Pixels
    from fat_fpga.network.lowering.sites import ImageSite, Sites


@dataclass(frozen=True, eq=False)
class Executed:
    """An execution of the file.

    Attributes:
        tensors: all of them by name, of as many images as the file takes at once.
        count: how many of these were asked for.
    """

    tensors: dict[str, npt.NDArray[Any]]
    count: int


@dataclass(frozen=True, eq=False)
class File:
    """A file, ready to be executed.

    Attributes:
        network: what it is, without a fault that is in it.
        sites: where the parts of the network are in it.
        model: it, with the shape of every tensor.
        wide: the first unit whose sums float32 does not hold; None where it holds all.
    """

    path: Path
    network: Network
    sites: Sites
    model: onnx.ModelProto
    wide: str | None

    @classmethod
    def read(
        cls,
        path: Path,
        pixels: Pixels,
        image_shape: Shape | None,
        normalise: Normalise | None = None,
        outputs: Outputs = "auto",
    ) -> File:
        from fat_fpga.network.lowering.load import load_with_sites

        network, sites = load_with_sites(path, None, pixels, image_shape, normalise, outputs)
        network = network.fault_free
        return cls(path, network, sites, _with_shapes(sites.model, sites.image), _too_wide(network))


class FileSession(OneByOne[Executed]):
    """Executes a file.

    Raises:
        EngineError: the network is not the file's, or float32, which files compute in, does not hold its sums.
    """

    def __init__(self, name: str, network: Network, file: File) -> None:
        super().__init__(name, network)
        self._file, self._sites = file, file.sites
        self.images_at_a_time = file.sites.image.batch
        if memory_fingerprint(network) != memory_fingerprint(file.network):
            raise EngineError(f"the file engine executes {file.path}, and {network.name} is another network")
        if file.wide is not None:
            raise EngineError(f"{file.wide}: its accumulators do not fit in float32, which the file computes in")

    def refuses(self, fault: AnyFault) -> str | None:
        """Why the file has no place for this fault; None where it has one."""
        if all(place.levels is None or place.name in self._sites.streams for place in places(self.network).values()):
            return None
        try:
            FileGraph(self._file.model, self.network, self._sites, changes_of(self.network, [fault]), 0)
        except EngineError as error:
            return str(error)
        return None

    def execute(
        self, images: Images, changes: Sequence[Change], first_frame: int, fault_free: Executed | None = None
    ) -> Executed:
        graph = FileGraph(self._file.model, self.network, self._sites, changes, first_frame)
        values = {self._sites.image.tensor: self._sites.image.values(images)}
        try:
            with warnings.catch_warnings():  # qonnx's, on names of domains and the like
                warnings.simplefilter("ignore")
                found = execute(graph.model, values)
        except Exception as error:  # qonnx raises what it likes
            raise EngineError(f"qonnx cannot execute {self._file.path}: {' '.join(str(error).split())}") from error
        return Executed(found | {tensor: found[name] for tensor, name in graph.renamed.items()}, len(images))

    def classes(self, state: Executed) -> npt.NDArray[np.int32]:
        tensors, count = state.tensors, state.count
        if self._sites.choice is not None:
            chosen: npt.NDArray[np.int32] = tensors[self._sites.choice].reshape(-1)[:count].astype(np.int32)
            return chosen
        scores = tensors[self._sites.scores].reshape(-1, self.network.shapes[-1][0])[:count]
        if scores.shape[1] == 1:
            return (scores[:, 0] > self._sites.middle).astype(np.int32)
        best: npt.NDArray[np.int32] = scores.argmax(axis=1).astype(np.int32)
        return best

    def streams(self, state: Executed) -> Streams:
        tensors, count, found = state.tensors, state.count, {}
        for place in places(self.network).values():
            if place.levels is not None and place.name in self._sites.streams:
                site = self._sites.streams[place.name]
                steps = tensors[site.tensor][:count].astype(np.float64) / site.scale - site.shift
                found[place.name] = _ordered(steps, site.index, place.shape)
            elif place.levels is None and place.name in self._sites.units:
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

    from fat_fpga.network.lowering.operators import QONNX_DOMAIN, QONNX_QUANTISERS

    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    graph = bare.graph
    for node in graph.node:
        if node.op_type in QONNX_QUANTISERS:
            node.domain = QONNX_DOMAIN  # Brevitas and FINN have used other names for it
    if all(entry.domain != QONNX_DOMAIN for entry in bare.opset_import):
        bare.opset_import.append(onnx.helper.make_opsetid(QONNX_DOMAIN, 1))
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
