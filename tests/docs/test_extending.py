"""The examples of docs/extending.md: a package that is installed, and that every command knows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run
from fat_fpga.cli import main
from fat_fpga.crosscheck import crosscheck
from fat_fpga.engines import get, names, native_engine
from fat_fpga.engines.reference import execute
from fat_fpga.errors import ModelWarning
from fat_fpga.faults import MODELS, fault_space, parse_fault
from fat_fpga.hardening import read_plan
from fat_fpga.network import write_qonnx
from tests.campaign.tiny import tiny_data, tiny_network, tiny_run
from tests.faults.test_meaning import IMAGE, Case
from tests.faults.test_meaning import network as network_by_hand

from .commands import ROOT, blocks
from .example_package import PAGE, install_examples, page_files


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder with ``tiny.onnx`` and ``tiny.npz``; the package is on the path."""
    install_examples(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.chdir(tmp_path)
    write_qonnx(tiny_network(), "tiny.onnx")
    data = tiny_data()
    np.savez("tiny.npz", images=data.images, labels=data.labels, classes=np.array(["a", "b", "c", "d"]))
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "fat_fpga_examples"]:
        del sys.modules[name]


def test_every_file_of_the_page_is_in_the_package() -> None:
    assert {path.rpartition("/")[2] for path in page_files()} == {
        "pyproject.toml", "row.py", "negation.py", "negation_handlers.py", "single.py", "memory.py", "losing.py",
    }  # fmt: skip


def test_files_to_touch_are_there() -> None:
    """Those that a table names are there, but for the new ones of the examples."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    named = {word for line in rows for word in [line.split("`")[1]] if "/" in word}
    new = {f"fat_fpga/{path}" for path in ("faults/row.py", "engines/single.py", "hardening/costs/memory.py")}
    new |= {"fat_fpga/reports/losing.py", "tests/reports/test_losing.py"}
    assert len(named) > 20
    assert {path for path in named if not (ROOT / path).exists()} == new


def test_a_fault_kind(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network, data = tiny_network(), tiny_data()
    fault = parse_fault("conv0/row[1] = +1")
    stuck, clean = execute(network, data.images, [fault])["conv0"], execute(network, data.images)["conv0"]
    assert (stuck[:, :, 1] == 1).all()
    assert np.array_equal(np.delete(stuck, 1, axis=2), np.delete(clean, 1, axis=2))
    faults = list(fault_space(network, "row"))
    assert len(faults) == 2 * (6 + 2)
    check = crosscheck(network, data.images, faults, {name: get(name) for name in ("reference", "native", "torch")})
    assert check.equal
    expected = get("reference").open(network).run(data.images, data.labels, faults)

    command = ["campaign", "tiny.onnx", "--data", "npz:tiny.npz", "--faults", "row,channel", "-o", "row.run", "-q"]
    assert main(command) == 0
    run = Run.open("row.run")
    assert "fat-fpga-examples 1.0" in run.sessions[0].version.split(", ")
    own = {result.fault: (result.correct, result.changed) for result in run.results if result.kind == "row"}
    assert own == {
        str(fault): (correct, changed)
        for fault, correct, changed in zip(faults, expected.correct, expected.changed, strict=True)
    }
    capsys.readouterr()
    assert main(["report", "row.run", "--figures", "drawn", "--csv", "row.csv", "--json", "row.json"]) == 0
    text = capsys.readouterr().out
    assert "row: a line buffer between two layers: one row of all channels" in text
    assert "stuck row" in text
    assert "conv0/row[" in (package / "row.csv").read_text()
    assert main(["faults", "tiny.onnx", "--faults", "row"]) == 0
    assert "16" in capsys.readouterr().out


def test_the_row_of_meaning_on_the_page(package: Path) -> None:
    """What the page says of the fault, on the network of ``tests/faults/test_meaning.py``."""
    (row,) = [block.text for block in blocks(PAGE) if block.text.strip().startswith("Case(")]
    case = eval(row.strip().rstrip(","), {"Case": Case})
    found = execute(network_by_hand(), IMAGE[None], [parse_fault(case.fault)])
    assert {name: found[name][0].tolist() for name in case.streams} == case.streams
    assert main(["inject", "tiny.onnx", case.fault, "-o", "faulty.onnx"]) == 0


def test_an_operator(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    negation = import_module("fat_fpga_examples.negation").Negation("conv0.negation")
    assert "fat_fpga_examples.negation_handlers" not in sys.modules
    first, *rest = tiny_network().layers
    network, data = replace(tiny_network(), layers=(first, negation, *rest)), tiny_data()
    monkeypatch.setattr(native_engine, "_TOLD", set())
    streams = get("reference").open(network).trace(data.images)
    assert np.array_equal(streams["conv0.negation"], -streams["conv0"])
    faults = [*fault_space(network, layers=["conv0.negation"]), *fault_space(network, "weight").sample(20)]
    with pytest.warns(ModelWarning, match=r"conv0\.negation: the native engine has no Negation yet: the torch engine"):
        native = get("native").open(network)
    outcomes = [
        session.run(data.images, data.labels, faults, predictions=True)
        for session in (get("reference").open(network), get("torch").open(network), native)
    ]
    assert "fat_fpga_examples.negation_handlers" in sys.modules
    for outcome in outcomes[1:]:
        assert outcome.predictions is not None
        assert outcomes[0].predictions is not None
        assert np.array_equal(outcome.predictions, outcomes[0].predictions)


def test_an_engine(package: Path) -> None:
    assert names()[-1] == "single"
    network, data = tiny_network(), tiny_data(4)
    faults = [*fault_space(network).sample(20), *fault_space(network, "activation", frames=4).sample(20)]
    assert crosscheck(network, data.images, faults, {name: get(name) for name in ("single", "native")}).equal
    done: list[int] = []
    get("single").open(network).run(data.images, data.labels, faults, progress=done.append)
    assert done == [1, 2, 3, 4]
    command = ["campaign", "tiny.onnx", "--data", "npz:tiny.npz", "-o", "one.run", "-q", "--engine", "single"]
    assert main([*command, "--sample", "5"]) == 0
    assert [session.engine for session in Run.open("one.run").sessions] == ["single"]


def test_a_cost_model(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_run(package / "tiny.run")
    assert main(["plan", "tiny.run", "--tmr", "--cost", "memory", "-o", "plan.json"]) == 0
    assert "bits of weight memory" in capsys.readouterr().out
    cost = read_plan("plan.json").costs[0]
    # one bit a weight: conv0 4 x 9, conv1 3 x 16, fc2 4 x 12; all but the last three times
    assert (cost.unprotected, cost.planned) == (36 + 48 + 48, 3 * (36 + 48) + 48)


def test_a_report(package: Path) -> None:
    run = tiny_run(package / "tiny.run")
    text = import_module("fat_fpga_examples.losing").losing_text(run, 0)
    losing = sum(result.correct < run.error_free for result in run.results)
    assert 0 < losing < len(run.results)
    assert sum(int(line.split()[-1]) for line in text.splitlines()[1:] if line.split()[-1].isdigit()) == losing


def test_help_lists_what_is_installed_and_imports_none_of_it(package: Path) -> None:
    code = (
        "import sys, fat_fpga, fat_fpga.faults, fat_fpga.engines, fat_fpga.hardening.costs.registry\n"
        "from fat_fpga.cli.main import build_parser\n"
        "for command in ('campaign', 'plan'):\n"
        "    try:\n"
        "        build_parser().parse_args([command, '--help'])\n"
        "    except SystemExit:\n"
        "        pass\n"
        "assert not [name for name in sys.modules if name.startswith('fat_fpga_examples')]\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(package / "site"), str(ROOT)])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert f"kinds of fault: {', '.join(MODELS)}" in said
    assert "offset, row" in said
    assert "board:FOLDER, single" in said
    assert "macs, folded, finn, memory" in said
