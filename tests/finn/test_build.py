"""Builds: step by step on FINN's builder, resumed, refused before any step where something is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from qonnx.core.modelwrapper import ModelWrapper

from fat_fpga.boards import board
from fat_fpga.errors import FinnError
from fat_fpga.finn import build as build_module
from fat_fpga.finn import setup
from fat_fpga.finn.build import Build
from fat_fpga.finn.estimates import part_of, unfolded
from fat_fpga.finn.folding import Fold, Folding, read_build_folding
from fat_fpga.finn.graph import nodes_of
from fat_fpga.finn.names import NAMES, OWN
from fat_fpga.finn.placing import ACTIVATION
from fat_fpga.network import MatrixVectorUnit, load_network
from fat_fpga.network.as_built import read_logics
from fat_fpga.network.bounds import accumulator_bounds
from tests.finn.test_engine import hardened

ZCU104 = board("ZCU104")
TFC = "16x8,8x8,8x8,10x8"


def started(build: Build, until: str) -> list[str]:
    """The steps that a run starts."""
    names: list[str] = []
    build.run(until, lambda name, number, of, seconds: names.append(name) if seconds is None else None)
    return names


@pytest.mark.parametrize(("inject", "logic"), [("thresholds", "search"), (None, "count")])
def test_what_it_says_of_thresholds(inject: str | None, logic: str, tmp_path: Path) -> None:
    """FINN takes its RTL for thresholds that stand alone; those inside of its HLS units count."""
    network = load_network("tfc_w2a2")
    build = Build(network, tmp_path, ZCU104, read_build_folding(TFC, network), inject=inject)
    build.run("specialise")
    operators = {node.proto.op_type for node in nodes_of(ModelWrapper(
        str(tmp_path / "intermediate_models" / "specialise.onnx")), network) if node.place == "fc0"}  # fmt: skip
    assert ("Thresholding_rtl" in operators) == (logic == "search"), operators
    assert read_logics(tmp_path, network.fingerprint) == dict.fromkeys(("fc0", "fc1", "fc2"), logic)
    assert read_logics(tmp_path, load_network("tfc_w2a2_fat2").fingerprint) is None
    build.run("partition")
    assert not (tmp_path / "thresholds.json").exists()


@pytest.mark.parametrize("name", ["cnv_w1a1", "cnv_w2a2"])
def test_from_qonnx_to_estimates(name: str, tmp_path: Path) -> None:
    network = load_network(name)
    build = Build(network, tmp_path / "b", ZCU104, read_build_folding("stock", network))
    assert started(build, "estimates") == list(OWN[: OWN.index("estimates") + 1])
    resources = json.loads((tmp_path / "b/report/estimate_layer_resources.json").read_text())
    speed = json.loads((tmp_path / "b/report/estimate_network_performance.json").read_text())
    ours = build.estimate()
    assert (resources["total"]["LUT"], resources["total"]["BRAM_18K"]) == (ours.lut, ours.bram_18k)
    assert speed["max_cycles"] == ours.cycles
    if name == "cnv_w1a1":
        assert (ours.lut, ours.bram_18k, ours.cycles) == (23_919, 147, 32_768)


def test_a_build_goes_on_behind_its_last_finished_step(tmp_path: Path) -> None:
    network = load_network("tfc_w2a2")
    build = Build(network, tmp_path, ZCU104, read_build_folding(TFC, network))
    assert started(build, "partition") == list(OWN[: OWN.index("partition") + 1])
    assert started(build, "minimise") == ["specialise", "injectors", "folding", "minimise"]
    assert started(build, "minimise") == []
    other = Build(network, tmp_path, ZCU104, read_build_folding("8x8,8x8,8x8,10x8", network))
    assert started(other, "minimise") == ["folding", "minimise"]
    (tmp_path / "intermediate_models" / "folding.onnx").unlink()
    assert started(other, "minimise") == ["folding", "minimise"]
    faster = Build(network, tmp_path, ZCU104, read_build_folding(TFC, network), clock=200.0)
    assert started(faster, "tidy") == ["tidy"]


def test_a_step_that_fails_is_named_and_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = load_network("tfc_w2a2")
    build = Build(network, tmp_path, ZCU104, read_build_folding(TFC, network))

    def broken(*arguments: object) -> None:
        raise RuntimeError("out of luck")

    with monkeypatch.context() as patch:
        patch.setattr("fat_fpga.finn.build_steps.apply_folding", broken)
        with pytest.raises(FinnError, match=r"step folding: RuntimeError: out of luck \(FINN's log: "):
            build.run("minimise")
    assert started(build, "minimise") == ["folding", "minimise"]


def test_a_build_that_is_killed_between_a_step_and_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is noted as finished has its model in a file."""
    network = load_network("tfc_w2a2")
    build = Build(network, tmp_path, ZCU104, read_build_folding(TFC, network))

    def killed(name: str, number: int, of: int, seconds: float | None) -> None:
        if name == "lower" and seconds is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build.run("lower", killed)
    assert list(json.loads((tmp_path / build_module.STATE).read_text())["steps"]) == ["tidy", "streamline", "hardening"]
    assert started(build, "lower") == ["lower"]


@pytest.mark.parametrize("inject", [None, "thresholds", "stream"])
def test_voters_and_injectors_stay_in_one_partition(inject: str | None, tmp_path: Path) -> None:
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.custom_op.registry import getCustomOp

    network = hardened(load_network("tfc_w2a2"))
    folding = Folding("test", {name: Fold(6, 4) for name in ("fc0", "fc1", "fc2")} | {"fc3": Fold(1, 4)})
    build = Build(network, tmp_path, ZCU104, folding, inject=inject)
    build.run("estimates")
    parent = ModelWrapper(str(tmp_path / "intermediate_models/dataflow_parent.onnx"))
    assert [node.op_type for node in parent.graph.node] == ["Transpose", "StreamingDataflowPartition"]
    model = ModelWrapper(str(tmp_path / "intermediate_models/estimates.onnx"))
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("FatVoter_rtl") == 3
    assert kinds.count("FatSaboteur_rtl") == (6 if inject == "stream" else 0)
    assert all(node.domain.startswith("finn.custom_op.fpgadataflow.") for node in model.graph.node)
    writable = [n for n in model.graph.node if n.op_type == "Thresholding_rtl"]
    flags = [getCustomOp(n).get_nodeattr("runtime_writeable_weights") for n in writable]
    assert flags == ([0, 1, 1, 1] if inject == "thresholds" else [0])


def test_writable_thresholds_hold_a_channel_stuck_at_its_lowest_level(tmp_path: Path) -> None:
    """The memory has room for one above the largest accumulator."""
    network = load_network("tfc_w2a2")
    for node in nodes_of(unfolded(network, part_of(ZCU104), "thresholds"), network):
        if node.role == ACTIVATION and node.place != "input":
            position = network.position(node.place)
            source = network.source(position)
            layer = network.layers[position]
            assert isinstance(layer, MatrixVectorUnit)
            low, high = accumulator_bounds(layer, source.min, source.max)
            datatype = node.custom.get_input_datatype(1)
            assert datatype.min() <= int(low.min())
            assert datatype.max() >= int(high.max()) + 1


def test_vendor_steps_are_refused_before_anything_is_run(tmp_path: Path) -> None:
    if setup.vivado() is not None:
        pytest.skip("there is a Vivado here")
    network = load_network("tfc_w2a2")
    build = Build(network, tmp_path / "b", ZCU104, read_build_folding(TFC, network))
    for until in NAMES[NAMES.index("ip") :]:
        with pytest.raises(FinnError, match="step ip needs Vitis HLS, and there is none here"):
            build.run(until)
    with pytest.raises(FinnError, match="unknown step 'bitstream': known are tidy, streamline"):
        build.run("bitstream")
    assert not (tmp_path / "b").exists()


def test_a_part_that_is_too_small_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    network = load_network("cnv_w1a1")
    wide = read_build_folding("64x3,64x64,64x64,64x64,16x64,8x64,4x64,4x64,10x8", network)
    with pytest.raises(FinnError, match=r"Pynq-Z1 is too small: the build needs [\d,]+ LUT where there are 53,200"):
        Build(network, tmp_path / "b", board("Pynq-Z1"), wide).run("estimates")
    assert not (tmp_path / "b").exists()


def test_standard_output_is_given_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = load_network("tfc_w2a2")
    Build(network, tmp_path, ZCU104, read_build_folding(TFC, network)).run("tidy", lambda *a: print("told", a[0]))
    print("after")
    assert capsys.readouterr().out.splitlines() == ["told tidy", "told tidy", "after"]
    assert (tmp_path / "build_dataflow.log").stat().st_size
