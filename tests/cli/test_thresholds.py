"""``--thresholds``: what is said, what a build says, and what fits nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fat_fpga.board.description import Description
from fat_fpga.campaign import Run, run_campaign
from fat_fpga.cli import main
from fat_fpga.faults import fault_space
from fat_fpga.network import Levels, write_qonnx
from fat_fpga.network.as_built import write_logics
from fat_fpga.network.network_file import write_network
from tests.board.fake import describe, small_network
from tests.campaign.tiny import tiny_data, tiny_network

from .conftest import Refused

DATA = ("--data", "npz:tiny.npz", "--images", "5", "--engine", "reference", "-q", "-o")
FAULTS = ("--faults", "threshold", "--sample", "5")
NETWORK = tiny_network(levels=Levels(0, 1, 4))


@pytest.fixture
def build(folder: Path) -> Path:
    """A folder with a network that searches, as FINN's build leaves it."""
    (folder / "build").mkdir()
    write_qonnx(NETWORK, folder / "build" / "model.onnx")
    write_logics(folder / "build", NETWORK.fingerprint, {"conv0": "search", "conv1": "count"})
    write_qonnx(NETWORK, folder / "four.onnx")
    return folder / "build"


def kept(model: str, *arguments: str) -> str:
    Path("a.run").unlink(missing_ok=True)
    assert main(["campaign", model, *DATA, "a.run", *FAULTS, *arguments]) == 0
    return Run.open("a.run").thresholds


def test_what_is_said_and_what_a_build_says(build: Path) -> None:
    mixed = "conv0=search,conv1=count"
    assert kept("four.onnx") == "count"
    assert kept("four.onnx", "--thresholds", "search") == "search"
    assert kept("four.onnx", "--thresholds", "conv1=search") == "conv0=count,conv1=search"
    assert kept("four.onnx", "--thresholds", "build") == mixed
    assert kept("build/model.onnx") == mixed
    assert kept("build/model.onnx", "--thresholds", "count") == "count"
    assert (
        main(["sweep", "build/model.onnx", *DATA, "s.run", "--faults", "threshold", "--rates", "0.1", "--samples", "2"])
        == 0
    )
    assert Run.open("s.run").thresholds == mixed
    assert main(["crosscheck", "four.onnx", "--engines", "reference,native", "--thresholds", "build", "-q",
                 "--faults", "threshold,set", "--sample", "12"]) == 0  # fmt: skip


def test_a_board_says_it_of_its_network(folder: Path) -> None:
    network = small_network()
    write_network(network, folder / "network.npz")
    describe(network).write(folder / "board.json")
    assert Description.read(folder / "board.json").threshold_logics == {"fc0": "search", "fc1": "search"}
    assert main(["faults", "network.npz", *FAULTS]) == 0
    older = json.loads((folder / "board.json").read_text())
    for stream in older["streams"]:
        del stream["threshold_logic"]
    (folder / "board.json").write_text(json.dumps(older))
    assert Description.read(folder / "board.json").threshold_logics == {}


def test_baked_thresholds_leave_the_other_faults(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "four.onnx", "--thresholds", "baked"]) == 0
    table = capsys.readouterr().out
    assert main(["faults", "four.onnx"]) == 0
    counted = capsys.readouterr().out
    assert table != counted
    assert main(["faults", "four.onnx", "--thresholds", "conv1=baked", "--faults", "threshold"]) == 0
    assert "conv1" not in capsys.readouterr().out
    assert (
        main(["campaign", "four.onnx", *DATA, "w.run", "--faults", "weight", "--sample", "5", "--thresholds", "baked"])
        == 0
    )
    assert Run.open("w.run").thresholds == ""


IN_LOGIC = "has no faults of kind threshold at any layer: its thresholds are baked into logic"
OF_BUILD = "expected the folder of a board or FINN build of tiny"
CAMPAIGN = (*DATA, "a.run", *FAULTS)
ALONE = ("--faults", "threshold")


@pytest.mark.parametrize(
    ("command", "model", "arguments", "how", "message"),
    [
        ("campaign", "four.onnx", CAMPAIGN, "baked", IN_LOGIC),
        ("faults", "four.onnx", ALONE, "baked", IN_LOGIC),
        ("faults", "four.onnx", (*ALONE, "--list"), "baked", IN_LOGIC),
        ("sweep", "four.onnx", (*DATA, "a.run", *ALONE, "--rates", "0.1"), "baked", "thresholds are baked into logic"),
        ("crosscheck", "four.onnx", ("--engines", "reference,native", *ALONE), "baked", IN_LOGIC),
        ("campaign", "four.onnx", CAMPAIGN, "sorted", "--thresholds: expected count, search, baked, or one of them"),
        ("campaign", "four.onnx", CAMPAIGN, "fc2=search", "four has thresholds at conv0, conv1, not at fc2"),
        ("campaign", "tiny.onnx", CAMPAIGN, "build", OF_BUILD),
        ("campaign", "tiny.onnx", CAMPAIGN, ".", OF_BUILD),
    ],
)
def test_one_line_for_what_does_not_fit(
    command: str, model: str, arguments: tuple[str, ...], how: str, message: str, build: Path, refused: Refused
) -> None:
    assert message in refused(command, model, *arguments, "--thresholds", how)
    assert not Path("a.run").exists()


def test_a_damaged_file_of_a_build(build: Path, refused: Refused) -> None:
    content = json.loads((build / "thresholds.json").read_text())
    content["thresholds"]["conv0"] = "guess"
    (build / "thresholds.json").write_text(json.dumps(content))
    assert "conv0 must be one of count, search, baked, got 'guess'" in refused("faults", "build/model.onnx")


def test_compare_and_safety_tell_runs_of_other_hardware_apart(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faults = fault_space(NETWORK, "threshold").sample(8)
    for logic in ("count", "search"):
        network = replace(NETWORK.with_threshold_logic(logic), name=logic)
        run_campaign(network, tiny_data(5), faults, folder / f"{logic}.run", "reference")
    assert main(["compare", "count.run", "search.run"]) == 0
    assert "DIFFERENT THRESHOLDS: count count, search search" in capsys.readouterr().out
    assert main(["compare", "count.run", "count.run"]) == 0
    assert "\nthresholds: count\n" in capsys.readouterr().out
