"""Public functions told the wrong thing: our error, what was expected, what came, what to call."""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

import fat_fpga.faults as faults_package
from fat_fpga.arguments import _hints, fits
from fat_fpga.campaign import Run, Selection, run_campaign
from fat_fpga.cli import main
from fat_fpga.crosscheck import crosscheck, random_images
from fat_fpga.datasets import load
from fat_fpga.engines import get
from fat_fpga.errors import ArgumentError, FatFpgaError
from fat_fpga.faults import fault_space, parse_fault
from fat_fpga.hardening import read_plan
from fat_fpga.network import load_network
from fat_fpga.reports import compare, report_text
from tests.campaign.tiny import tiny_data, tiny_network, tiny_run

PACKAGES = (
    "board", "campaign", "crosscheck", "datasets", "energy", "engines", "faults", "fixed_point", "hardening",
    "interactive", "luts", "models", "modules", "network", "reports", "safety", "training",
)  # fmt: skip
INSIDE = {"changed_stream", "changed_unit", "changes_of", "over_images", "register"}
"""For authors of engines: called for each fault, on what was checked before, or at import."""


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for package in PACKAGES:
        module = importlib.import_module(f"fat_fpga.{package}")
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.isfunction(found) and name not in INSIDE:
                yield f"{package}.{name}", found


FUNCTIONS = dict(functions())
ARGUMENTS = [(name, argument) for name, found in FUNCTIONS.items() for argument in inspect.signature(found).parameters]


def right(hint: Any) -> Any:
    """Some value of the type."""
    candidates = ["a", 1, None, (), {}, np.empty(0)]
    for part in (hint, *typing.get_args(hint)):
        kind = typing.get_origin(part) or part
        if isinstance(kind, type) and kind.__module__ != "builtins":
            candidates.append(Mock(spec=kind))
    return next(value for value in candidates if fits(value, hint))


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_a_wrong_type_is_told(name: str, argument: str) -> None:
    function = FUNCTIONS[name]
    hints = _hints(inspect.unwrap(function))
    if argument not in hints:
        pytest.skip("the type of this argument is known to type checkers only")
    if hints[argument] is bool or getattr(hints[argument], "_is_protocol", False):
        return  # any object will do
    wrong: Any = object()
    if fits(wrong, hints[argument]):
        assert re.search("Callable|Engine", str(hints[argument]))  # looked at when they are used
        return
    others = {
        other: right(hints[other])
        for other, parameter in inspect.signature(function).parameters.items()
        if other != argument and other in hints and parameter.default is parameter.empty
    }
    with pytest.raises(ArgumentError, match=rf"^{function.__name__}: {argument}: expected .*, got the object"):
        function(**{argument: wrong, **others})


def test_what_helps_is_said(tmp_path: Path) -> None:
    network, data = tiny_network(), tiny_data()
    faults = fault_space(network)
    wrong: list[tuple[Callable[[], object], str]] = [
        (lambda: run_campaign("cnv.onnx", data, faults, "a.run"),  # type: ignore[arg-type]
         "run_campaign: network: expected Network or Subject or onnx.ModelProto or qonnx.ModelWrapper or "
         "torch.nn.Module, got the str 'cnv.onnx'; fat_fpga.load_network reads one"),
        (lambda: run_campaign(network, "npz:a.npz", faults, "a.run"),  # type: ignore[arg-type]
         "expected Dataset or a tuple of Any or torch.utils.data.Dataset, got the str 'npz:a.npz'; fat_fpga.load_data "
         "reads one"),
        (lambda: run_campaign(network, data, ["conv0/channel[0] = 1"], "a.run"),  # type: ignore[list-item]
         "got a list that starts with the str 'conv0/channel[0] = 1'; fat_fpga.parse_fault reads one from text"),
        (lambda: load_network(3),  # type: ignore[arg-type]
         "source: expected text or path or onnx.ModelProto or qonnx.ModelWrapper or torch.nn.Module, got the int 3"),
        (lambda: fault_space("x"), "fault_space: network: expected Network or Subject, got the str 'x'"),  # type: ignore[arg-type]
        (lambda: fault_space(network, layers="conv0"), "layers: expected a sequence of text or None, got the str"),
        (lambda: report_text("a.run"), "fat_fpga.Run.open reads one from a run file"),  # type: ignore[arg-type]
        (lambda: compare(["a.run"]), "expected a sequence of Run, got a list that starts with the str 'a.run'"),  # type: ignore[list-item]
        (lambda: Run.open(3), "Run.open: path: expected text or path, got the int 3"),  # type: ignore[arg-type]
        (lambda: Selection.sample(faults, 2.5), "count: expected a whole number, got the float 2.5"),  # type: ignore[arg-type]
        (lambda: load(None), "spec: expected text, got None"),  # type: ignore[arg-type]
        (lambda: get("reference").open(network).run(data.images.tolist(), data.labels, []),
         "images: expected ndarray, got"),
    ]  # fmt: skip
    for call, words in wrong:
        with pytest.raises(ArgumentError) as told:
            call()
        assert words in str(told.value)
        assert isinstance(told.value, TypeError)
        assert isinstance(told.value, FatFpgaError)
        assert len(str(told.value)) < 300


def test_what_is_right_passes(tmp_path: Path) -> None:
    network, data = tiny_network(), tiny_data()
    layers: Any = {"conv0"}
    chunk: Any = np.int64(3)
    space = fault_space(network, layers=layers)
    count: Any = np.int32(2)
    plain = fault_space(network, layers=["conv0"])
    assert [str(fault) for fault in space] == [str(fault) for fault in plain]
    run = run_campaign(network, data, list(space)[:2], str(tmp_path / "a.run"), "reference", chunk=chunk)
    assert run.results == run_campaign(network, data, list(plain)[:2], engine="reference").results
    sample = Selection.sample(space, count, seed=True)
    run = run_campaign(network, data, sample, tmp_path / "b.run", get("reference"))
    assert run.results == run_campaign(network, data, Selection.sample(plain, 2, seed=1), engine="reference").results


def test_objects_are_shown_in_a_line(tmp_path: Path) -> None:
    network, data = tiny_network(), tiny_data()
    run = tiny_run(tmp_path / "a.run")
    space = fault_space(network)
    outcome = get("reference").open(network).run(data.images, data.labels, list(space)[:2])
    assert main(["plan", str(run.path), "--tmr", "-o", str(tmp_path / "plan.json")]) == 0
    plan = read_plan(tmp_path / "plan.json")
    engines = {name: get(name) for name in ("native", "reference")}
    check = crosscheck(network, random_images(network, 2), list(space)[:2], engines)
    objects = {
        "<Network tiny: 1x8x8 pixels, 4 layers, 4 classes>": network,
        "<Dataset ": data,
        "<Run ": run,
        "<FaultSpace: 14 faults>": space,
        "<Selection: all 14 channel faults": Selection.of(space),
        "<Outcome: 2 faults, 30 images": outcome,
        "<MatrixVectorUnit conv0: ": network.units[0],
        "<InputQuantiser: 1x8x8 pixels": network.input,
        "<Comparison of 2 runs: ": compare([run, run], ["a", "b"]),
        "Result(fault='conv0/channel[0] = ": run.results[0],
        "<Section channel: 2 runs>": compare([run, run], ["a", "b"]).sections[0],
        "<Plan for tiny: ": plan,
        "<UnitPlan conv0: ": plan.units[0],
        "<CrossCheck of native, reference: 2 images, equal>": check,
    }
    for start, one in objects.items():
        text = repr(one)
        assert text.startswith(start), text
        assert len(text) < 200
        assert "\n" not in text
    assert eval(repr(parse_fault("conv0/channel[0] = +1")), vars(faults_package)) == space[1]
