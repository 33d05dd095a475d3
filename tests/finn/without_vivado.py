"""A build through its last step without Vivado: FINN's own steps, with those that synthesise left out.

FIFOs are inserted at their default depths, FINN's ZynqBuild cuts the graph into partitions, its driver and deployment
package are written. The bitstream is an empty file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fat_fpga.finn import setup
from fat_fpga.finn.build import Build


def build_all(build: Build, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run every step; FINN's model as the bitfile step leaves it, a row of partitions."""
    setup.prepare()
    from finn.builder import build_dataflow_steps
    from finn.transformation.fpgadataflow import make_zynq_proj
    from finn.transformation.fpgadataflow.insert_dwc import InsertDWC
    from finn.transformation.fpgadataflow.insert_fifo import InsertFIFO
    from finn.transformation.fpgadataflow.specialize_layers import SpecializeLayers
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.custom_op.registry import getCustomOp
    from qonnx.transformation.base import Transformation
    from qonnx.transformation.general import GiveReadableTensorNames, GiveUniqueNodeNames

    class NamesOnly(Transformation):  # type: ignore[misc]
        """What MakeZYNQProject does to the model: the DMA blocks get their names in the block design."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__()

        def apply(self, model: Any) -> tuple[Any, bool]:
            nodes = model.get_nodes_by_op_type("StreamingDataflowPartition")
            for node in nodes:
                name = "idma0" if node is nodes[0] else "odma0" if node is nodes[-1] else node.name
                getCustomOp(node).set_nodeattr("instance_name", name)
            return model, False

    def nothing(model: Any, config: Any) -> Any:
        return model

    def fifos(model: Any, config: Any) -> Any:
        part = config._resolve_fpga_part()
        for transformation in (InsertDWC(), InsertFIFO(create_shallow_fifos=True), SpecializeLayers(part),
                               GiveUniqueNodeNames(), GiveReadableTensorNames()):  # fmt: skip
            model = model.transform(transformation)
        return model

    def bitfile(model: Any, config: Any) -> Any:
        folder = config.get_intermediate_models_directory() / "kernel_partitions"
        zynq = make_zynq_proj.ZynqBuild(config.board, config.synth_clk_period_ns, partition_model_dir=folder)
        model = model.transform(zynq)
        for suffix in ("bit", "hwh"):
            (config.get_bitfile_directory() / f"finn-accel.{suffix}").touch()
        return model

    with monkeypatch.context() as patch:
        for tool in ("vivado", "hls"):
            patch.setattr(f"fat_fpga.finn.setup.{tool}", lambda: Path("/no/tools"))
        patch.setattr(make_zynq_proj, "get_num_default_workers", lambda: 1)
        patch.setattr(make_zynq_proj, "_build_sdp_kernel", lambda arguments: None)
        patch.setattr(make_zynq_proj, "MakeZYNQProject", NamesOnly)
        for name, step in (("step_hw_ipgen", nothing), ("step_set_fifo_depths", fifos),
                           ("step_create_stitched_ip", nothing), ("step_synthesize_bitfile", bitfile)):  # fmt: skip
            patch.setattr(build_dataflow_steps, name, step)
        build.run("board")
    return ModelWrapper(str(build.folder / "intermediate_models" / "bitfile.onnx"))
