"""Campaigns of any kind of fault, and ``fat-fpga faults``, which counts and lists them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from fat_fpga.campaign import Run
from fat_fpga.cli import main
from fat_fpga.faults import MODELS, fault_space
from fat_fpga.network import load_network

from .conftest import Refused

DATA = ("--data", "npz:tiny.npz", "--images", "5", "--engine", "reference", "-q", "-o", "a.run")
REFUSED = ("--data", "npz:tiny.npz", "--engine", "reference", "-o", "a.run")
Capture = pytest.CaptureFixture[str]


def campaign(*arguments: str) -> Run:
    assert main(["campaign", "tiny.onnx", *DATA, *arguments]) == 0
    return Run.open("a.run")


def faults(capsys: Capture, *arguments: str) -> list[str]:
    capsys.readouterr()
    assert main(["faults", "tiny.onnx", *arguments]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    return output.out.splitlines()


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (("--faults", "pixel"), 2 * (36 + 4)),
        (("--faults", "pixel", "--layers", "conv0.pool"), 2 * 9),
        (("--faults", "channel", "--layers", "input,conv1", "--values", "-1,+1"), 2 * (1 + 3)),
        (("--faults", "channel", "--layers", "input", "--values", "-128"), 1),
        (("--faults", "pe", "--folding", "2,3,4"), 2 * (2 + 3)),
        (("--faults", "pe", "--folding", "2,3,4", "--layers", "*"), 2 * 3),
        (("--faults", "threshold"), 4 * 12 + 3 * 5),
        (("--faults", "threshold", "--effects", "stuck", "--layers", "conv1"), 2 * 3 * 5),
        (("--faults", "weight", "--effects", "all", "--layers", "fc2"), 3 * 48),
        (("--faults", "activation", "--layers", "conv1"), 5 * 12),
        (("--faults", "weight,channel", "--layers", "conv1", "--values", "+1"), 48 + 3),
        (("--faults", "weight", "--sample", "17", "--seed", "3"), 17),
        (("--sample", "1000"), 14),
    ],
)
def test_campaigns_of_any_kind(folder: Path, arguments: tuple[str, ...], count: int) -> None:
    run = campaign(*arguments)
    assert (run.asked, run.done, run.complete) == (count, count, True)


def test_a_sample_is_that_of_the_space(folder: Path) -> None:
    run = campaign("--faults", "weight", "--sample", "17", "--seed", "3")
    expected = fault_space(load_network("tiny.onnx"), "weight").sample(17, 3)
    assert [result.fault for result in run.results] == [str(fault) for fault in expected]
    assert (run.origin.space, run.origin.sample, run.origin.seed) == (132, 17, 3)


def test_a_list_goes_into_a_campaign(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = faults(capsys, "--faults", "pixel,weight", "--sample", "9", "--list", "--cause")
    assert lines[0].startswith("# 9 of ")
    assert lines[1].startswith("# fat_fpga origin: {")
    lines = lines[2:]
    assert all("  # " in line for line in lines)
    assert len(lines) == 9
    Path("list.txt").write_text("\n".join([*lines, "conv0/channel[1] = +1 & conv1/channel[0] = -1"]))
    run = campaign("--fault-list", "list.txt")
    assert run.asked == 10
    assert run.origin.source == "list"
    Path("a.run").unlink()
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(faults(capsys, "--list"))))
    whole = campaign("--fault-list", "-")
    assert (whole.asked, whole.origin.whole) == (14, True)


def test_the_space_as_a_table(folder: Path, capsys: Capture) -> None:
    lines = faults(capsys)
    rows = {line.split("  ")[0]: line.split() for line in lines}
    assert lines[1].split() == ["place", *MODELS]
    assert rows["conv0"] == ["conv0", "8", "72", "288", "36", "48", "48", "144"]  # no PEs without a folding
    assert rows["conv0.pool"] == ["conv0.pool", "8", "18", "72", "36"]
    assert rows["fc2"] == ["fc2", "48", "16"]
    assert rows["all units"] == ["all", "units", "14", "80", "312", "132", "63", "79", "156"]
    assert any(line.startswith("pe: needs the number of PEs") for line in lines)
    assert any(line.startswith("activation: for one image") for line in lines)
    lines = faults(capsys, "--folding", "2,3,4", "--images", "10", "--cause", "--layers", "conv0,*")
    rows = {line.split("  ")[0]: line.split() for line in lines}
    assert rows["conv0"] == ["conv0", "8", "72", "288", "4", "36", "48", "48", "1,440"]
    assert rows["*"] == ["*", "6"]
    for kind, model in MODELS.items():
        assert f"{kind}: {model.cause}" in lines


def test_the_table_of_a_sample(folder: Path, capsys: Capture) -> None:
    lines = faults(capsys, "--faults", "weight", "--sample", "20", "--seed", "4")
    assert lines[0] == (
        "tiny: 20 of 132 weight faults in conv0, conv1, fc2 (flipped), drawn without replacement, seed 4"
    )
    assert lines[-1].split() == ["all", "places", "20"]


def test_a_list_is_what_a_campaign_takes(folder: Path, capsys: Capture) -> None:
    for arguments in (("--layers", "conv1,conv0.pool"), ("--effects", "all"), ("--sample", "6", "--seed", "1")):
        kind = "weight" if arguments[0] == "--effects" else "channel"
        lines = faults(capsys, "--faults", kind, *arguments, "--list")
        found = [line for line in lines if not line.startswith("#")]
        assert sorted(result.fault for result in campaign("--faults", kind, *arguments).results) == sorted(found)
        Path("a.run").unlink()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--faults", "pe"), "faults of kind pe need --folding"),
        (("--faults", "pe", "--folding", "2,3"), "it has 2 PE counts, tiny has 3 units"),
        (("--faults", "pe", "--folding", "nowhere.json"), "folding nowhere.json"),
        (("--faults", "channel,gremlin"), "gremlin"),
        (("--effects", "stuck"), "--effects is about bits"),
        (("--faults", "weight", "--values", "1"), "--values are activation levels"),
        (("--values", "-1,5"), "+5 is an activation level of none"),
        (("--values", "5"), "no faults of kind channel are left"),
        (("--values", "one"), "expected integers"),
        (("--sample", "0"), "1 or more, got '0'"),
        (("--seed", "1"), "give --sample, too"),
        (("--layers", "*"), "takes faults of kind pe"),
        (("--fault-list", "nowhere.txt"), "nowhere.txt"),
        (("--fault-list", "tiny.npz"), "this is no text"),
        (("--fault-list", "list.txt"), "list.txt, line 2: cannot read fault"),
        (("--fault-list", "list.txt", "--layers", "conv1"), "leave --layers out"),
        (("--fault-list", "list.txt", "--faults", "pixel"), "leave --faults out"),
    ],
)
def test_what_a_campaign_refuses(folder: Path, refused: Refused, arguments: tuple[str, ...], words: str) -> None:
    (folder / "list.txt").write_text("conv1/channel[0] = -1\nconv1/channel[0\n")
    assert words in refused("campaign", "tiny.onnx", *REFUSED, *arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--faults", "gremlin"), "known are channel"),
        (("--layers", "conv9"), "unknown layer 'conv9'"),
        (("--faults", "pe", "--list"), "need --folding"),
        (("--faults", "activation", "--list"), "number of images"),
        (("--images", "0"), "1 or more, got '0'"),
        (("--sample", "-1", "--list"), "1 or more, got '-1'"),
    ],
)
def test_what_faults_refuses(refused: Refused, arguments: tuple[str, ...], words: str) -> None:
    assert words in refused("faults", "tiny.onnx", *arguments)


def test_a_stratified_sample_and_its_list(folder: Path, capsys: Capture) -> None:
    options = ("weight,threshold", "--sample", "60", "--stratify", "layer,bit", "--per-stratum", "2")
    direct = campaign("--faults", *options)
    assert direct.origin.strata is not None
    assert direct.origin.strata.axes == ("kind", "layer", "bit")
    assert min(part.drawn for part in direct.origin.strata.parts) == 2
    assert sum(part.drawn for part in direct.origin.strata.parts) == direct.asked == 60
    Path("list.txt").write_text("\n".join(faults(capsys, "--faults", *options, "--list")))
    Path("a.run").unlink()
    listed = campaign("--fault-list", "list.txt")
    assert (listed.origin, listed.results) == (direct.origin, direct.results)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--stratify", "layer"), "--stratify is how to draw a sample: give --sample, too"),
        (("--per-stratum", "1"), "--per-stratum is for a stratified sample: give --sample, too"),
        (("--per-stratum", "1", "--sample", "9"), "give --stratify kind,layer, too"),
        (("--stratify", "layers", "--sample", "9"), "made by some of kind, layer, bit, each once, got 'layers'"),
        (
            ("--stratify", "layer", "--sample", "3"),
            "at least 2 faults each need a sample of 4 to 14, got 3",
        ),
        (("--stratify", "layer", "--sample", "9", "--per-stratum", "0"), "1 or more, got '0'"),
    ],
)
def test_strata_that_cannot_be(refused: Refused, arguments: tuple[str, ...], words: str) -> None:
    assert words in refused("faults", "tiny.onnx", *arguments)
