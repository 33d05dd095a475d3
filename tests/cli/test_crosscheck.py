"""``fat-fpga crosscheck`` and ``fat-fpga inject``: tables, files, exit codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from fat_fpga import engines
from fat_fpga.cli import main
from fat_fpga.engines.reference import execute
from fat_fpga.faults import parse_fault
from fat_fpga.network import load_network
from tests.campaign.tiny import tiny_data
from tests.crosscheck.broken import BrokenEngine

from .conftest import Refused

CHECK = ("crosscheck", "tiny.onnx", "-q")


def test_equal_engines_leave_with_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--engines", "reference,torch,qonnx", "--sample", "27", "--images", "2", "--folding", "2,3,1")
    assert main((*CHECK, *arguments)) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == "equal"
    assert len(out) == 5
    assert main((*CHECK, *arguments, "--data", "npz:tiny.npz", "--faults", "channel,set", "--seed", "3")) == 0


def test_engines_that_differ_leave_with_1(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(fault: object, streams: dict[str, np.ndarray]) -> None:
        streams["conv1"][0, 1, 0, 1] = 5

    real = engines.get
    monkeypatch.setattr(engines, "get", lambda name, threads: BrokenEngine(broken) if name == "broken" else real(name))
    assert main((*CHECK, "--engines", "reference,broken", "--sample", "9", "--images", "2")) == 1
    out = capsys.readouterr().out
    assert "first difference of reference and broken: no fault, image 0, conv1 channel 1 pixel [0,1]: " in out
    assert out.endswith("NOT equal\n")


def test_bad_input_leaves_with_2(refused: Refused) -> None:
    assert "two different engines" in refused(*CHECK, "--engines", "reference")
    assert "unknown engine 'abacus'" in refused(*CHECK, "--engines", "reference,abacus")
    assert "unknown fault kind 'gremlin'" in refused(*CHECK, "--faults", "gremlin", "--engines", "reference,torch")
    assert "it has 1 PE counts" in refused(*CHECK, "--folding", "2", "--engines", "reference,torch")
    for count in ("0", "-1", "few"):
        assert f"a whole number, 1 or more, got '{count}'" in refused(*CHECK, f"--sample={count}")


def test_inject_writes_a_file_that_qonnx_executes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "conv0/channel[1] = +1 & conv1/accumulator[0].bit[1] ^ 1"
    assert main(["inject", "tiny.onnx", text, "-o", "faulty.onnx"]) == 0
    assert text in capsys.readouterr().out
    image = tiny_data().images[:1]
    model = ModelWrapper(onnx.load("faulty.onnx"))
    scores = execute_onnx(model, {"global_in": image.astype(np.float32)})["global_out"]
    expected = execute(load_network("tiny.onnx"), image, [parse_fault(text)])["fc2"]
    np.testing.assert_array_equal(scores, expected[:, :, 0, 0])


def test_inject_refuses_in_one_line(refused: Refused) -> None:
    assert "cannot read fault" in refused("inject", "tiny.onnx", "conv0/channel[1 = +1", "-o", "a.onnx")
    assert "channels 0 to 3" in refused("inject", "tiny.onnx", "conv0/channel[9] = +1", "-o", "a.onnx")
    assert "no such folder" in refused("inject", "tiny.onnx", "conv0/channel[1] = +1", "-o", "missing/a.onnx")
