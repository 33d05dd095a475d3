"""What goes to MLflow and Weights & Biases, with stand-ins whose calls are those of their manuals."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from torch import nn

from fat_fpga.campaign import run_campaign
from fat_fpga.cli import main
from fat_fpga.errors import FatFpgaError
from fat_fpga.faults import fault_space
from fat_fpga.tracking import check_trackers
from fat_fpga.training.tracked import tracked
from tests.campaign.tiny import tiny_data, tiny_network

Calls = list[tuple[str, Any]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The calls that the stand-ins get, in their order."""
    seen: Calls = []

    def module(name: str, **functions: Any) -> None:
        found = ModuleType(name)
        found.__spec__ = ModuleSpec(name, None)
        for function, body in functions.items():
            setattr(found, function, body)
        monkeypatch.setitem(sys.modules, name, found)

    def start_run(run_id: str | None = None, run_name: str | None = None) -> Any:
        seen.append(("mlflow start", run_id or run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id=run_id or "m1"))

    def init(**asked: Any) -> Any:
        seen.append(("wandb start", asked["id"] or asked["name"]))
        return SimpleNamespace(
            id=asked["id"] or "w1",
            log=lambda numbers, step: seen.append(("wandb", (step, numbers))),
            finish=lambda: seen.append(("wandb end", None)),
        )

    module(
        "mlflow",
        start_run=start_run,
        log_params=lambda found: seen.append(("mlflow parameters", found)),
        log_metrics=lambda numbers, step: seen.append(("mlflow", (step, numbers))),
        end_run=lambda: seen.append(("mlflow end", None)),
    )
    module("wandb", init=init)
    return seen


def test_trainings_go_on_in_the_same_run(calls: Calls, tmp_path: Path) -> None:
    folder = tmp_path / "trained"
    folder.mkdir()
    for epoch in range(2):
        for callback in tracked(["mlflow", "wandb"], folder, {"epochs": 2}):
            callback.on_epoch_end(nn.Identity(), epoch, {"epoch": epoch, "loss": 0.5, "note": "text"})
            callback.on_train_end(nn.Identity())
    numbers = {"loss": 0.5}
    assert calls == [
        ("mlflow start", "trained"), ("mlflow parameters", {"epochs": 2}), ("mlflow", (0, numbers)),
        ("mlflow end", None), ("wandb start", "trained"), ("wandb", (0, numbers)), ("wandb end", None),
        ("mlflow start", "m1"), ("mlflow", (1, numbers)), ("mlflow end", None),
        ("wandb start", "w1"), ("wandb", (1, numbers)), ("wandb end", None),
    ]  # fmt: skip


def test_reports_give_their_summary(calls: Calls, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = tiny_network()
    run = run_campaign(network, tiny_data(), fault_space(network), tmp_path / "a.run", counting=("errors",))
    assert main(["report", str(tmp_path / "a.run"), "--track", "mlflow"]) == 0
    found = dict(calls)
    assert found["mlflow start"] == "a"
    assert found["mlflow parameters"]["network_fingerprint"] == network.fingerprint
    step, numbers = found["mlflow"]
    assert step is None
    assert numbers["worst"] == pytest.approx(100 * min(run.correct) / 30)
    assert set(numbers) == {"error_free", "worst", "mean", "done", "class_worst", "class_mean"}


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(FatFpgaError, match="unknown tracker 'aim': known are mlflow, wandb"):
        check_trackers(["aim"])
    if "mlflow" not in sys.modules:
        with pytest.raises(FatFpgaError, match="needs the package mlflow: pip install mlflow"):
            check_trackers(["mlflow"])
