"""``fat-fpga quantise``: files, checkpoints and modules in fixed point; what is refused, in one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from fat_fpga.cli import main
from fat_fpga.fixed_point import QFormat, quantise
from fat_fpga.fixed_point.float_model import read_float_model
from fat_fpga.fixed_point.formats import Formats
from fat_fpga.network import load_network
from tests.cli.conftest import Refused
from tests.designs.float_graph import GraphBuilder

RNG = np.random.default_rng(1)
FORMATS = ("--weights", "Q2.6", "--activations", "Q5.3")


def float_graph() -> GraphBuilder:
    builder = GraphBuilder([1, 1, 8, 8])
    builder.node("Conv", RNG.normal(0, 0.5, (3, 1, 3, 3)), RNG.normal(0, 0.3, 3), name="conv1")
    builder.node("Relu", name="relu1")
    return builder


def ended(builder: GraphBuilder, inputs: int = 108) -> onnx.ModelProto:
    builder.node("Flatten", axis=1)
    builder.node("Gemm", RNG.normal(0, 0.5, (inputs, 4)), RNG.normal(0, 0.3, 4), name="fc2")
    return builder.model()


@pytest.fixture
def floats(folder: Path) -> onnx.ModelProto:
    """``float.onnx`` in the working directory."""
    onnx.save(model := ended(float_graph()), "float.onnx")
    return model


def test_a_file(floats: onnx.ModelProto, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--layer", "conv1=Q1.7", "--layer", "input=:Q1.7", "--save-formats", "q.json", "-o", "q.onnx")
    assert main(["quantise", "float.onnx", *FORMATS, *options, "--data", "npz:tiny.npz"]) == 0
    printed = capsys.readouterr().out
    assert "conv1  Q1.7     Q5.3 " in printed
    assert "459 weights, 3,672 bits of them" in printed
    assert "accuracy on npz:tiny.npz, 30 images:\n  float: " in printed
    formats = (
        Formats(QFormat(2, 6), QFormat(5, 3)).changed("conv1", QFormat(1, 7)).changed("input", None, QFormat(1, 7))
    )
    assert json.loads(Path("q.json").read_text()) == formats.to_dict()
    wanted = load_network(quantise(read_float_model(floats, "float"), formats).model, "q")
    assert load_network("q.onnx").fingerprint == wanted.fingerprint
    assert main(["quantise", "float.onnx", "--format-table", "q.json", "-o", "again.onnx", "-q"]) == 0
    assert load_network("again.onnx").fingerprint == wanted.fingerprint


def test_a_search(floats: onnx.ModelProto, capsys: pytest.CaptureFixture[str]) -> None:
    search = ("--minimal", "--per-layer", "--until-loss", "10", "--data", "npz:tiny.npz@[0:20]")
    assert main(["quantise", "float.onnx", *search, "-o", "q.onnx"]) == 0
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert lines[0].startswith("Q")
    assert " weights, Q1.15 activations: " in lines[0]
    assert all(line.endswith(("enough", "too few")) for line in lines)
    assert any(line.startswith("activations of conv1 Q") for line in lines)
    assert "accuracy on npz:tiny.npz[0:20], 20 images:" in printed.out


MODULE = """
import torch
from torch import nn

def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(108, 4))

def broken(width):
    return None

number = 3
"""


def test_a_module(folder: Path, refused: Refused, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    Path("my_float_nets.py").write_text(MODULE)
    shape = ("--image-shape", "1,8,8", "-o", "q.onnx")
    assert main(["quantise", "module:my_float_nets:net", *FORMATS, *shape]) == 0
    before = load_network("q.onnx", pixels="unit").fingerprint
    from fat_fpga.foreign_module import load_module

    state = load_module("module:my_float_nets:net").state_dict()
    torch.save({key: value * 2 for key, value in state.items()}, "twice.pt")
    torch.save({"state_dict": state, "epoch": 3}, "holder.pt")
    torch.save(nn_object(), "object.pt")
    call = ("quantise", "module:my_float_nets:net", *FORMATS, *shape, "--force", "--weights-file")
    assert main([*call, "holder.pt"]) == 0
    assert load_network("q.onnx", pixels="unit").fingerprint == before
    assert main([*call, "twice.pt"]) == 0
    assert load_network("q.onnx", pixels="unit").fingerprint != before
    assert "object.pt is no file of weights that can be read safely" in refused(*call, "object.pt")
    assert "there is no such file of weights" in refused(*call, "none.pt")
    named = [
        ("my_float_nets:other", "my_float_nets has no other"),
        ("my_float_nets", "expected module:PACKAGE:FACTORY"),
        ("no_such_nets:net", "no_such_nets cannot be imported"),
        ("my_float_nets:broken", "broken() raises"),
        ("my_float_nets:number", "number is a int, and makes nothing"),
    ]
    for name, message in named:
        assert message in refused("quantise", f"module:{name}", *FORMATS, *shape, "--force")
    assert "give --image-shape C,H,W" in refused("quantise", "module:my_float_nets:net", *FORMATS, "-o", "n.onnx")


def nn_object() -> object:
    """What is no state: a module as a whole."""
    from torch import nn

    return nn.ReLU()


BAD: list[tuple[tuple[str, ...], str]] = [
    (("--weights", "Q0.0", "--activations", "Q5.3"), "argument --weights: format Q0.0: it has no bits"),
    (("--weights", "Q-2.6", "--activations", "Q5.3"), "must not be negative"),
    (("--weights", "Q2.6"), "a network needs formats: give --activations, as Q2.6, or --minimal with --data"),
    ((), "give --weights and --activations, as Q2.6"),
    ((*FORMATS, "--layer", "conv2=Q2.6"), "no layer 'conv2': did you mean conv1?"),
    ((*FORMATS, "--layer", "zzz=Q2.6"), "no layer 'zzz': there are input, conv1, fc2"),
    ((*FORMATS, "--layer", "input=Q2.6"), "layer 'input' has no weights"),
    ((*FORMATS, "--layer", "fc2=Q2.6:Q2.6"), "layer 'fc2' puts out the scores, whose sums stay as they are"),
    (("--minimal",), "--minimal needs images to measure the accuracy on"),
    (
        ("--minimal", *FORMATS, "--data", "npz:tiny.npz"),
        "--minimal finds the formats: leave --weights and --activations",
    ),
    (("--minimal", "--data", "npz:tiny.npz"), "has no val part, it has one part only: choose images of it"),
    (("--per-layer", *FORMATS), "--per-layer and --until-loss are for a search: give --minimal, too"),
    ((*FORMATS, "--weights-file", "w.pt"), "--weights-file is for a model module:PACKAGE:FACTORY"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_options(floats: onnx.ModelProto, refused: Refused, options: tuple[str, ...], message: str) -> None:
    assert message in refused("quantise", "float.onnx", *options, "-o", "q.onnx")


def test_bad_models(floats: onnx.ModelProto, refused: Refused) -> None:
    assert "quantised already" in refused("quantise", "tfc_w2a2", *FORMATS, "-o", "q.onnx")
    assert "no file 'float.onx'" in refused("quantise", "float.onx", *FORMATS, "-o", "q.onnx")
    assert "it is read here and would be lost" in refused("quantise", "float.onnx", *FORMATS, "-o", "float.onnx")


def test_an_unknown_operator_in_a_branch_is_named_before_a_search(folder: Path, refused: Refused) -> None:
    builder = float_graph()
    fork = builder.tensor
    branch = builder.node("Einsum", first=fork, equation="nchw->nchw", name="deep")
    builder.tensor = fork
    builder.node("Add", branch, name="join")
    onnx.save(ended(builder), "branched.onnx")
    told = refused("quantise", "branched.onnx", "--minimal", "--data", "npz:tiny.npz@[0:9]", "-o", "q.onnx")
    assert "node 'deep' (Einsum)" in told
