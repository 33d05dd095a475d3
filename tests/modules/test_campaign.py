"""Campaigns and sweeps on modules: the same runner, run file, resume, reports and command line."""

from __future__ import annotations

import pickle
import sqlite3
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from fat_fpga.campaign import CostMatrix, Run, Selection, run_campaign
from fat_fpga.campaign.rounds import run_in_rounds
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.campaign.sweep_rounds import UntilInterval
from fat_fpga.cli import main
from fat_fpga.engines import get
from fat_fpga.errors import EngineError
from fat_fpga.faults import FaultSpace, fault_space, parse_fault
from fat_fpga.modules import ModuleSubject
from fat_fpga.modules.session import ModuleSession
from fat_fpga.reports import compare, comparison_text, report_text
from tests.designs.random_module import Case, random_case


def labelled(case: Case) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The images, with the classes of the module as labels."""
    zeros = np.zeros(len(case.images), np.int64)
    return case.images, get("module").open(case.subject).run(case.images, zeros, []).golden.astype(np.int64)


def test_a_run_file_keeps_what_the_session_counts(tmp_path: Path) -> None:
    case = random_case("recurrent", 4)
    spaces = [fault_space(case.subject, kind, frames=8) for kind in ("weight", "activation", "output", "state")]
    faults = Selection.sample(FaultSpace([block for space in spaces for block in space.blocks]), 40)
    images, labels = labelled(case)
    run = run_campaign(case.subject, (images, labels), faults, tmp_path / "a.run", counting=("outcomes",), chunk=7)
    again = Run.open(tmp_path / "a.run")
    expected = get("module:plain").open(case.subject).run(
        images, labels, [parse_fault(result.fault) for result in again.results], counting=("outcomes", "nonfinite")
    )  # fmt: skip
    assert [result.correct for result in again.results] == expected.correct.tolist()
    assert [result.changed for result in again.results] == expected.changed.tolist()
    for name, numbers in expected.counts.items():
        assert again.counts[name].tolist() == numbers.tolist()
    for result in again.results:
        assert [str(fault) for fault in result.faults] == [result.fault]  # through the typed columns
    text = report_text(run)
    assert "scores that are not all finite" in text
    assert "not finite" in text
    assert comparison_text(compare([run, again]))


def test_criteria_beyond_accuracy(tmp_path: Path) -> None:
    """Top-5 and costs of weight faults in a linear layer, from its own scores."""
    torch.manual_seed(3)
    layer = torch.nn.Linear(4, 7)
    subject = ModuleSubject(torch.nn.Sequential(layer).eval(), (4,), pixels="none")
    rows = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    labels = np.arange(30, dtype=np.int64) % 7
    matrix = CostMatrix(np.random.default_rng(1).integers(0, 9, (7, 7)).astype(np.int64), 0)
    faults = fault_space(subject, "weight").sample(25)
    run = run_campaign(subject, (rows, labels), faults, tmp_path / "a.run", counting=("top5", matrix.counting))
    asked = [parse_fault(result.fault) for result in run.results]
    plain = get("module:plain").open(subject).run(rows, labels, asked, predictions=True, counting=("top5",))
    assert run.counts["top5"].tolist() == plain.counts["top5"].tolist()
    assert plain.predictions is not None
    assert run.counts["cost"].tolist() == matrix.total(plain.predictions, labels).tolist()
    with torch.no_grad():
        scores = layer(torch.from_numpy(rows)).numpy()
    highest = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    assert run.top5 == int((highest == labels[:, None]).any(axis=1).sum())


def test_a_campaign_that_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case("convolutional", 2)
    faults, data = fault_space(case.subject)[:30], labelled(case)
    whole = run_campaign(case.subject, data, faults, tmp_path / "whole.run")
    compute, calls = ModuleSession.compute, []

    def stops(self: ModuleSession, *args: object) -> object:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return compute(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(ModuleSession, "compute", stops)
    with pytest.raises(KeyboardInterrupt):
        run_campaign(case.subject, data, faults, tmp_path / "part.run", chunk=10)
    monkeypatch.undo()
    assert 0 < Run.open(tmp_path / "part.run").done < 30
    part = run_campaign(case.subject, data, faults, tmp_path / "part.run")
    assert [(r.fault, r.correct, r.changed) for r in part.results] == [
        (r.fault, r.correct, r.changed) for r in whole.results
    ]


def test_sweeps_over_structures(tmp_path: Path) -> None:
    case = random_case("recurrent", 4)
    sweep = Sweep(("weight", "activation", "state"), (1e-4, 1e-1), samples=3, scope="structure")
    run = run_in_rounds(case.subject, labelled(case), UntilInterval(sweep, case.subject), tmp_path / "s.run")
    assert run.complete
    assert run.done == 3 * 2 * 3
    assert run.counts["hits"].sum() > 0
    text = report_text(run)
    assert "state" in text
    assert "1e-04" in text or "0.0001" in text


def test_a_subject_goes_to_a_worker() -> None:
    for kind in ("convolutional", "recurrent"):
        case = random_case(kind, 9)
        sent = pickle.loads(pickle.dumps(case.subject))
        assert sent.memory_fingerprint == case.subject.memory_fingerprint
        assert list(sent.places) == list(case.subject.places)


def test_a_module_that_raises_an_error_under_a_fault() -> None:
    class Careful(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = torch.nn.Linear(3, 2)
            torch.nn.init.zeros_(self.inner.weight)  # the outputs are 0.25, which these bits make 2^126, and not NaN
            torch.nn.init.constant_(self.inner.bias, 0.25)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = self.inner(x)
            if float(y.abs().max()) > 1e9:
                raise ValueError("too large")
            return y

    subject = ModuleSubject(Careful().eval(), (3,), pixels="none")
    fault = parse_fault(" & ".join(f"inner/output[0].bit[{bit}] = 1" for bit in (28, 29, 30)))
    for engine in ("module", "module:plain"):
        with pytest.raises(EngineError, match=r"Careful raises an error under inner/output.*ValueError: too large"):
            get(engine).open(subject).run(np.ones((2, 3), np.float32), np.zeros(2, np.int64), [fault])


def test_the_default_engine_shows_no_streams() -> None:
    case = random_case("convolutional", 2)
    with pytest.raises(EngineError, match="shows no streams"):
        get("module").open(case.subject).trace(case.images)


NET = """
import torch
from torch import nn

def net():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "linear_net.py").write_text(NET)
    torch.manual_seed(0)
    torch.save(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10)).state_dict(), tmp_path / "net.pt")
    return tmp_path


@pytest.mark.filterwarnings("ignore")
def test_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = ["module:linear_net:net", "--weights-file", "net.pt"]
    data = ["--data", "demo:mnist", "--images", "20"]
    assert main(["campaign", *model, *data, "--formats", "weight=Q2.6", "--sample", "20", "-o", "a.run"]) == 0
    assert "20 of 62,800 weight faults" in capsys.readouterr().out  # 7,840 weights and 10 biases of 8 bits
    assert main(["report", "a.run"]) == 0
    assert main(["sweep", *model, *data, "--rates", "1e-3,1e-2", "--samples", "2", "-o", "b.run", "-q"]) == 0
    assert main(["faults", *model, "--image-shape", "1,28,28"]) == 0
    assert "1.bias" in capsys.readouterr().out
    with sqlite3.connect("a.run") as file:
        assert file.execute("SELECT type FROM layer WHERE name = '1'").fetchall() == [("Linear",)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layers", "2"], "unknown layer '2'|unknown place '2'"),
        (["--engine", "native"], "the native engine executes integer networks, and net is none"),
        (["--formats", "weight"], "expected WHERE=FORMAT"),
        (["--formats", "weight=Q0.3"], "m is at least 1"),
        (["--weights-file", "linear_net.py"], "no file of weights that can be read safely"),
        (["--folding", "bnn-pynq"], "net is a module, and has no PEs"),
        (["--pixels", "INT8"], "--pixels of a module is one of unit, raw, none"),
    ],
)
def test_mistakes_are_told_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    try:
        code = main(
            [
                "campaign",
                "module:linear_net:net",
                "--data",
                "demo:mnist",
                "--images",
                "5",
                *arguments,
                "-o",
                "c.run",
                "-q",
            ]
        )
    except SystemExit as stop:
        code = int(stop.code or 0)
    error = capsys.readouterr().err
    assert code == 2
    assert error.count("\n") == 1
    import re

    assert re.search(message, error), error
    assert not Path("c.run").exists()


def test_other_commands_say_that_they_take_no_modules(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "module:linear_net:net"]) == 2
    assert "is a PyTorch module, which campaign, sweep and faults take" in capsys.readouterr().err
    assert main(["campaign", "tfc_w2a2", "--data", "demo:mnist", "--formats", "weight=Q2.6", "-o", "d.run"]) == 2
    assert "--formats is for PyTorch modules" in capsys.readouterr().err
