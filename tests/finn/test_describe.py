"""The description that a build writes, and the runner with it, against a board made of FINN's own partitions."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fat_fpga.board import Board, open_board
from fat_fpga.board.description import Description
from fat_fpga.board.injection import injectable
from fat_fpga.board.thresholds import WritableThresholds
from fat_fpga.boards import board
from fat_fpga.checksums import checksums, checksums_by
from fat_fpga.datasets import load
from fat_fpga.engines import get
from fat_fpga.errors import EngineError, FinnError
from fat_fpga.faults import AnyFault, fault_space, parse_fault
from fat_fpga.finn.build import Build
from fat_fpga.finn.describe import describe
from fat_fpga.finn.folding import Fold, Folding, read_build_folding
from fat_fpga.network import Network, load_network
from tests.board.fake_pynq import FakePynq
from tests.finn.finn_board import FinnBoard
from tests.finn.test_engine import hardened
from tests.finn.without_vivado import build_all

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
FOLDS = Folding("test", {"fc0": Fold(16, 49), "fc1": Fold(4, 16), "fc2": Fold(16, 4), "fc3": Fold(2, 16)})
VOTED = Folding("voted", {name: Fold(6, 4) for name in ("fc0", "fc1", "fc2")} | {"fc3": Fold(1, 4)})


def colours(network: Network) -> Folding:
    """The stock folding of a CNV, with all colours of a pixel a beat."""
    return Folding("colours", {**read_build_folding("stock", network).folds, "input": Fold(3)})


BUILT: dict[tuple[str, str, str | None], Path] = {}
"""Where a network has been built, by its fingerprint, its folding and its hooks: several tests want the same."""


def built(network: Network, folding: Folding, inject: str | None, beside: Path) -> Path:
    """The folder of a finished build, in which nothing is to be changed; the first is made beside a folder."""
    key = network.fingerprint, repr(folding), inject
    if key not in BUILT:
        folder = beside.with_name(f"built{len(BUILT)}")
        with pytest.MonkeyPatch.context() as patch:
            build_all(Build(network, folder, board("ZCU104"), folding, inject=inject, checksums=True), patch)
        BUILT[key] = folder
    return BUILT[key]


class Opened:
    """A build's deployment package, opened by the runner on a fake PYNQ with FINN's partitions behind it."""

    def __init__(
        self, network: Network, folding: Folding, inject: str | None, folder: Path, patch: pytest.MonkeyPatch
    ) -> None:
        from qonnx.core.modelwrapper import ModelWrapper

        finished = built(network, folding, inject, folder)
        shutil.copytree(finished / "deploy", folder / "deploy")
        self.device = FinnBoard(ModelWrapper(str(finished / "intermediate_models" / "bitfile.onnx")))
        self.pynq = FakePynq(self.device, self.device.input, self.device.output, self.device.names)
        module = self.pynq.module()
        patch.setitem(sys.modules, "pynq", module)
        patch.setitem(sys.modules, "pynq.ps", module.ps)
        self.package = folder / "deploy"
        self.network = network

    def open(self) -> Board:
        return open_board(self.package)


def check(opened: Opened, faults: list[AnyFault], data: str, images: int) -> Board:
    """Classes under every fault, and the checksums of every layer without one, are the reference engine's."""
    found, network = load(data, limit=images), opened.network
    runner = opened.open()
    assert runner.network.fingerprint == network.fingerprint
    assert not runner.simulated
    got = runner.engine.open(network).run(found.images, found.labels, faults, predictions=True)
    wanted = get("reference").open(network).run(found.images, found.labels, faults, predictions=True)
    assert np.array_equal(got.golden, wanted.golden)
    assert got.predictions is not None
    assert wanted.predictions is not None
    assert np.array_equal(got.predictions, wanted.predictions)
    assert runner.engine.restarts == []
    streams = get("reference").open(network).trace(found.images)
    for place, (sums, bits) in checksums_by(runner.engine.open(network), found.images).items():
        expected = checksums(network, {place: streams[place]})[place]
        assert bits == expected[1]
        assert np.array_equal(sums, expected[0])
    return runner


@pytest.mark.parametrize("inject", ["thresholds", "stream"])
def test_a_plain_network(inject: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = load_network("tfc_w2a2")
    opened = Opened(network, FOLDS, inject, tmp_path, monkeypatch)
    faults: list[AnyFault] = [*fault_space(network, "channel")][:: 7 if inject == "stream" else 11]
    if inject == "stream":
        faults += list(fault_space(network, "element", layers=["fc1"]))[::29]
        faults += [parse_fault(text) for text in ("fc0/pe[5 of 16] = +1", "fc1/pe[3 of 4] = -1", "fc2/pixel[0,0] = 0")]
    faults = injectable(opened.open().engine.accelerator.description, faults)
    assert len(faults) > 40
    check(opened, faults, "demo:mnist", 3)


def test_a_network_with_voters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = hardened(load_network("tfc_w2a2"))
    opened = Opened(network, VOTED, "stream", tmp_path, monkeypatch)
    faults = injectable(opened.open().engine.accelerator.description, list(fault_space(network, "channel"))[::9])
    runner = check(opened, faults, "demo:mnist", 3)
    assert runner.engine.disagreements
    for text, seen in runner.engine.disagreements.items():
        fault = parse_fault(text)
        assert list(seen) == [f"{fault.faults[0].layer}.vote"]
        assert {entry.rows for entries in seen.values() for entry in entries} == {fault.faults[0].index}


@pytest.mark.parametrize("inject", ["thresholds", "stream"])
def test_a_convolutional_network(inject: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = load_network("cnv_w1a1")
    folding = read_build_folding("stock", network) if inject == "stream" else colours(network)
    opened = Opened(network, folding, inject, tmp_path, monkeypatch)
    texts = ["conv1/channel[28] = +1", "fc6/channel[100] = -1"]
    texts += ["conv1.pool/pixel[3,4] = +1", "conv4/pe[2 of 4] = -1"] if inject == "stream" else []
    check(opened, [parse_fault(text) for text in texts], "demo:cifar10", 1)


@pytest.mark.parametrize(("name", "data"), [("tfc_w2a2", "demo:mnist"), ("cnv_w1a1", "demo:cifar10")])
def test_finn_s_own_driver_moves_the_same_bytes(
    name: str, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver package, on the same deployment package: thresholds, DMA registers, bytes in, classes out."""
    network, images = load_network(name), load(data, limit=2).images
    folding = FOLDS if name.startswith("tfc") else colours(network)
    opened = Opened(network, folding, "thresholds", tmp_path, monkeypatch)
    runner = opened.open()
    accelerator = runner.engine.accelerator
    accelerator.arm(None)
    opened.pynq.log.clear()
    ours = accelerator.classes(accelerator.run(accelerator.pack(images)))
    registers, sent = [(name, offset) for name, offset, _ in opened.pynq.log], opened.pynq.sent[-1]

    for module in [module for module in sys.modules if module.startswith("finn_plus_driver")]:
        monkeypatch.delitem(sys.modules, module)  # it keeps the pynq that it was imported with
    from finn_plus_driver import get_driver_class

    settings = json.loads((opened.package / "driver" / "settings.json").read_text())["driver_information"]
    overlay = get_driver_class(settings["driver_type"])
    weights = str(opened.package / "driver" / "runtime_weights")
    driver: Any = overlay(
        str(opened.package / "bitfile" / "finn-accel.bit"), settings["platform"], settings["io_shape_dict"],
        batch_size=len(images), runtime_weight_dir=weights, runtime_weights=True,
    )  # fmt: skip
    opened.pynq.log.clear()
    theirs = driver.execute(images.transpose(0, 2, 3, 1))
    assert np.array_equal(theirs.ravel(), ours)
    assert np.array_equal(opened.pynq.sent[-1], sent)
    assert [(name, offset) for name, offset, _ in opened.pynq.log] == registers
    written = [stream for stream in accelerator.description.streams if stream.thresholds is not None]
    assert len(written) == len(network.units) - 1
    for stream in written:  # raises where it wrote something else than the description says
        assert stream.thresholds is not None
        WritableThresholds(stream, opened.device.bus(stream.thresholds.address))


def test_the_first_notebook_on_a_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its cells as they stand, but for fewer images: the accelerator gives out classes, not scores."""
    Opened(load_network("tfc_w2a2"), FOLDS, "stream", tmp_path, monkeypatch)
    (tmp_path / "deploy").rename(tmp_path / "tfc_w2a2")
    monkeypatch.setenv("FAT_FPGA_BOARDS", str(tmp_path))
    monkeypatch.setenv("MPLBACKEND", "Agg")
    notebook = json.loads((NOTEBOOKS / "01_inject_on_board.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert "IMAGES, TRACED = 60, 10" in cells[0]
    cells[0] = cells[0].replace("IMAGES, TRACED = 60, 10", "IMAGES, TRACED = 2, 2")
    names: dict[str, Any] = {}
    for cell in cells:
        exec(cell, names)
    printed = capsys.readouterr().out
    assert printed.startswith("a board\n")
    assert printed.count("0 of 2 images with another checksum than computed") == 5
    assert "192 of 192 faults have the same result on the board" in printed


def test_a_model_that_is_no_finished_build(tmp_path: Path) -> None:
    from qonnx.core.modelwrapper import ModelWrapper

    network = load_network("tfc_w2a2")
    build = Build(network, tmp_path, board("ZCU104"), FOLDS)
    build.run("minimise")
    model = ModelWrapper(str(tmp_path / "intermediate_models" / "minimise.onnx"))
    with pytest.raises(FinnError, match=r"is no partition: FINN's bitfile step has not been run on this model"):
        describe(model, network)


def test_another_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Opened(load_network("tfc_w2a2"), FOLDS, "stream", tmp_path, monkeypatch)
    other, digits, engine = load_network("tfc_w2a2_fat2"), load("demo:mnist", limit=1), opened.open().engine
    with pytest.raises(EngineError, match="the board was built from another network than tfc_w2a2_fat2"):
        engine.open(other).run(digits.images, digits.labels, [])
    description = Description.read(opened.package / "board.json")
    assert [s.place for s in description.streams] == ["input", "fc0", "fc1", "fc2", "fc3"]
    assert description.labels
