"""Voter, saboteur and checksum hook as FINN operators: what they compute, and the hardware that they write."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fat_fpga.boards import board
from fat_fpga.checksums import stream_words
from fat_fpga.engines.reference import execute
from fat_fpga.faults import places
from fat_fpga.finn.build import Build
from fat_fpga.finn.folding import Fold, Folding
from fat_fpga.finn.graph import streams_of
from fat_fpga.finn.parallel import apply_folding
from fat_fpga.finn.placing import HOOK
from fat_fpga.network import load_network
from tests.designs.random_network import random_images
from tests.finn.test_engine import hardened

ZCU104 = board("ZCU104")
FOLDING = Folding("test", {name: Fold(6, 4) for name in ("fc0", "fc1", "fc2")} | {"fc3": Fold(1, 4)})
PLAIN = Folding("plain", {name: Fold(4, 4) for name in ("fc0", "fc1", "fc2")} | {"fc3": Fold(1, 4)})


def operator(kind: str, shape: tuple[int, ...], **attributes: Any) -> Any:
    """One of our operators, outside of any graph."""
    from onnx import helper
    from qonnx.custom_op.registry import getCustomOp

    from fat_fpga.finn.operators import DOMAIN, register

    register()
    return getCustomOp(
        helper.make_node(
            kind, ["in"], ["out"], domain=DOMAIN, backend="fpgadataflow", NumChannels=shape[-1],
            numInputVectors=list(shape[:-1]), **attributes,
        )
    )  # fmt: skip


@pytest.mark.parametrize("datatype", ["BIPOLAR", "BINARY", "INT2", "UINT2", "INT4"])
def test_the_voter_is_the_majority_of_bits(datatype: str) -> None:
    from qonnx.core.datatype import DataType

    from fat_fpga.finn.operators import VOTER

    rng = np.random.default_rng(1)
    sources = rng.integers(0, 9, (5, 3))
    kind = DataType[datatype]
    values = np.arange(int(kind.min()), int(kind.max()) + 1, 2 if datatype == "BIPOLAR" else 1)
    rows = rng.choice(values, (1, 4, 3, 9)).astype(np.float32)
    voter = operator(VOTER, rows.shape, sources=sources.ravel().tolist(), dataType=datatype)
    context = {"in": rows, "out": np.zeros((1, 4, 3, 5), np.float32)}
    voter.execute_node(context, None)
    words = ((rows + 1) / 2 if datatype == "BIPOLAR" else rows).astype(int) & (1 << kind.bitwidth()) - 1
    expected = np.zeros((1, 4, 3, 5), int)
    for bit in range(kind.bitwidth()):
        votes = sum(words[..., sources[:, copy]] >> bit & 1 for copy in range(3))
        expected += (votes >= 2).astype(int) << bit
    found = context["out"]
    found = ((found + 1) / 2 if datatype == "BIPOLAR" else found).astype(int) & (1 << kind.bitwidth()) - 1
    assert np.array_equal(found, expected)
    assert voter.get_normal_output_shape() == (1, 4, 3, 5)


def test_the_saboteur_holds_its_box_and_nothing_else() -> None:
    from fat_fpga.finn.operators import SABOTEUR

    stream = np.random.default_rng(0).integers(0, 2, (1, 4, 5, 6)).astype(np.float32)
    saboteur = operator(SABOTEUR, stream.shape, dataType="BINARY", PE=3)
    context = {"in": stream}
    saboteur.execute_node(context, None)
    assert np.array_equal(context["out"], stream)
    for name, part in (("rows", [1, 3, 1]), ("columns", [2, 3, 1]), ("channels", [1, 6, 3])):
        saboteur.set_nodeattr(name, part)
    saboteur.set_nodeattr("value", 1)
    saboteur.execute_node(context, None)
    expected = stream.copy()
    expected[:, 1:3, 2:3, 1::3] = 1
    assert np.array_equal(context["out"], expected)
    assert not np.array_equal(expected, stream)
    assert saboteur.get_folded_output_shape() == (1, 4, 5, 2, 3)
    assert saboteur.get_exp_cycles() == 40


@pytest.mark.parametrize(("datatype", "bits"), [("BIPOLAR", 1), ("INT2", 2), ("TERNARY", 2), ("UINT8", 8)])
def test_the_checksum_hook_passes_its_stream(datatype: str, bits: int) -> None:
    from qonnx.core.datatype import DataType

    from fat_fpga.finn.operators import CHECKSUM

    kind, rng = DataType[datatype], np.random.default_rng(2)
    values = np.arange(int(kind.min()), int(kind.max()) + 1, 2 if datatype == "BIPOLAR" else 1)
    stream = rng.choice(values, (1, 4, 5, 6)).astype(np.float32)
    hook = operator(CHECKSUM, stream.shape, dataType=datatype, PE=3)
    context = {"in": stream.copy()}
    hook.execute_node(context, None)
    assert np.array_equal(context["out"], stream)
    assert hook.parameters() == {"LANES": 3, "BEATS": 40, "BITS": bits}
    assert hook.get_exp_cycles() == 40
    assert hook.lut_estimation("any") > 100


def test_the_hardware_that_a_build_writes(tmp_path: Path) -> None:
    """Code for every layer, voters, saboteurs and hooks included; Verilator takes ours, under FINN's port names."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.custom_op.registry import getCustomOp

    from fat_fpga.finn.operators import CHECKSUM, SABOTEUR, VOTER

    network = hardened(load_network("tfc_w2a2"))
    Build(network, tmp_path, ZCU104, FOLDING, inject="stream", checksums=True).run("code")
    model = ModelWrapper(str(tmp_path / "intermediate_models/code.onnx"))
    verilator = shutil.which("verilator-cli", path=str(Path(sys.executable).parent)) or shutil.which("verilator")
    checked = 0
    for node in model.graph.node:
        custom = getCustomOp(node)
        folder = Path(custom.get_nodeattr("code_gen_dir_ipgen"))
        assert any(folder.iterdir()), node.name
        assert folder.is_relative_to(tmp_path)
        if node.op_type not in (VOTER, SABOTEUR, CHECKSUM):
            continue
        assert custom.get_verilog_top_module_intf_names()["axilite"] == ["s_axilite"]
        files = custom.get_rtl_file_list(abspath=True)
        assert all(Path(file).is_file() for file in files)
        assert custom.code_generation_ipi()[-1].endswith(f"-reference {node.name} {node.name}")
        if verilator is None:
            continue
        command = [verilator, "--lint-only", "-Wall", "-Wno-DECLFILENAME", "--top-module", node.name, *files]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stderr
        checked += 1
    assert checked == (0 if verilator is None else 17)


def test_checksum_hooks_sum_up_whole_frames(tmp_path: Path) -> None:
    """A hook behind every stream, saboteurs included, with the beats and lanes of its stream; it is what the stream's
    place ends with, and a folding that is set again keeps it so."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.custom_op.registry import getCustomOp

    from fat_fpga.finn.operators import CHECKSUM, SABOTEUR

    network = hardened(load_network("tfc_w2a2"))
    Build(network, tmp_path, ZCU104, FOLDING, inject="stream", checksums=True).run("checksums")
    model = ModelWrapper(str(tmp_path / "intermediate_models/checksums.onnx"))
    found = streams_of(model, network)
    assert list(found) == list(places(network))
    streams = execute(network, random_images(network, 1))
    for folding in (FOLDING, Folding("one", {name: Fold(1, 1) for name in ("fc0", "fc1", "fc2", "fc3")})):
        apply_folding(model, network, folding)
        for place, node in found.items():
            hook, front = node.custom, getCustomOp(model.find_producer(node.proto.input[0]))
            parameters = hook.parameters()
            assert (node.role, node.proto.op_type) == (HOOK, CHECKSUM)
            assert parameters["LANES"] == front.get_folded_output_shape()[-1]
            assert hook.get_instream_width() == hook.get_outstream_width() == front.get_outstream_width()
            values, bits = stream_words(network, place, streams[place])
            assert parameters["BITS"] == bits
            assert parameters["LANES"] * parameters["BEATS"] == values.shape[1]
    behind = [model.find_producer(node.proto.input[0]).op_type for node in found.values()]
    assert behind.count(SABOTEUR) == 6


def test_no_hook_without_being_asked(tmp_path: Path) -> None:
    from qonnx.core.modelwrapper import ModelWrapper

    from fat_fpga.finn.operators import CHECKSUM

    Build(load_network("tfc_w2a2"), tmp_path, ZCU104, PLAIN).run("checksums")
    model = ModelWrapper(str(tmp_path / "intermediate_models/checksums.onnx"))
    assert not [node for node in model.graph.node if node.op_type == CHECKSUM]
