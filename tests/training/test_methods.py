"""Methods and schedules: what is enabled in an epoch, and with which p."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from torch import nn

from fat_fpga import models
from fat_fpga.errors import TrainingError
from fat_fpga.training import FaultAware, train
from fat_fpga.training.injection import injectors_in
from fat_fpga.training.methods import METHODS, Fat2, Method, Sat, make_method
from fat_fpga.training.schedule import parse_schedule
from tests.training.nets import OwnForward, images
from tests.training.small import digits, recipe

CNV_PLACES = ("conv0_act", "conv1_pool", "conv2_act", "conv3_pool", "conv4_act", "conv5_act", "fc6_act", "fc7_act")


def enabled(seed: int, epochs: int = 400) -> list[tuple[str, ...]]:
    with FaultAware(models.build("cnv-w1a1"), "fat2", 5, seed=seed) as aware:
        found = []
        for epoch in range(epochs):
            aware.start_epoch(epoch)
            assert tuple(injector.name for injector in aware.injectors if injector.enabled) == aware.enabled
            found.append(aware.enabled)
    return found


def test_method_2_enables_exactly_one_layer_an_epoch() -> None:
    epochs = enabled(seed=0)
    assert all(len(names) == 1 for names in epochs)
    counts = [epochs.count((name,)) for name in CNV_PLACES]
    assert sum(counts) == 400
    assert sum((count - 50) ** 2 / 50 for count in counts) < 24.322  # chi-square, 7 degrees of freedom, 1 in 1,000
    assert enabled(seed=0) == epochs
    assert enabled(seed=1) != epochs


def test_the_layer_depends_on_seed_and_epoch_alone() -> None:
    aware = FaultAware(models.build("cnv-w1a1"), "fat2", 5, seed=3)
    torch.manual_seed(99)
    aware.start_epoch(17)
    assert aware.enabled == enabled(seed=3, epochs=18)[17]


def test_method_1_enables_all_of_them() -> None:
    for method in ("fat1", "dropout2d"):
        aware = FaultAware(models.build("cnv-w1a1"), method, 5)
        assert not list(aware.enabled)
        aware.start_epoch(0)
        assert aware.enabled == CNV_PLACES


def test_standard_training_inserts_nothing() -> None:
    model = models.build("tfc-w1a1")
    with FaultAware(model, "sat") as aware:
        aware.start_epoch(0)
        assert (aware.injectors, injectors_in(model), aware.enabled, aware.p) == ((), [], (), 0)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [5, 5, 5, 5, 5]),
        ("linear:15", [5, 7.5, 10, 12.5, 15]),
        ("linear:0", [5, 3.75, 2.5, 1.25, 0]),
        ("step:1=2.5", [5, 2.5, 2.5, 2.5, 2.5]),
        ("step:0=1,2=10,3=20", [1, 1, 10, 20, 20]),
    ],
)
def test_schedules(schedule: str, expected: list[float]) -> None:
    method = make_method("fat1", 5, schedule=schedule)
    assert [method.probability(epoch, 5) for epoch in range(5)] == expected
    aware = FaultAware(models.build("tfc-w1a1"), method, epochs=5)
    for epoch, p in enumerate(expected):
        aware.start_epoch(epoch)
        assert [aware.p, *(injector.p for injector in aware.injectors)] == [p] * 4


def test_a_single_epoch_of_a_linear_schedule_has_the_p_of_the_start() -> None:
    assert make_method("fat1", 5, schedule="linear:10").probability(0, 1) == 5


def test_dropout2d_is_that_of_torch() -> None:
    for shape, layer in (((20, 6, 4, 4), nn.Dropout2d(0.3)), ((20, 50), nn.Dropout(0.3))):
        (injector, *_), x = FaultAware(models.build("tfc-w1a1"), "dropout2d", 30).injectors, torch.randn(shape)
        torch.manual_seed(4)
        expected = layer(x)
        torch.manual_seed(4)
        injector.p = 30
        assert torch.equal(injector.change(x), expected)


def test_dropout2d_passes_quant_tensors_on() -> None:
    torch.manual_seed(0)
    model = OwnForward(quant_tensors=True).train()
    aware = FaultAware(model, "dropout2d", 50)
    aware.start_epoch(0)
    model(images()).sum().backward()
    assert model.first.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("fat3", 5), "unknown method 'fat3'; known methods: sat, fat1, fat2, dropout2d"),
        (("fat2",), "method fat2 needs p"),
        (("fat2", 101), "p must be a probability in percent, from 0 to 100, got 101"),
        (("fat1", -1), "got -1"),
        (("fat1", float("nan")), "got nan"),
        (("fat1", 5, "row"), "unknown error model 'row'"),
        (("sat", 5), "method sat injects no errors and takes no p"),
        (("sat", None, "channel"), "takes no error model"),
        (("dropout2d", 5, "pixel"), "method dropout2d drops channels, it takes no error model 'pixel'"),
        (("fat2", 5, None, "linear"), "unknown schedule 'linear'"),
        (("fat2", 5, None, "linear:1e9"), "got 1000000000.0"),
        (("fat2", 5, None, "step:3=1,2=5"), "epochs ascending"),
        (("fat2", 5, None, "step:-1=1"), "unknown schedule"),
        (("fat2", 5, None, "cosine:3"), "expected one of: constant, linear:END, step:EPOCH=P"),
    ],
)
def test_bad_settings(settings: tuple[object, ...], message: str) -> None:
    model = models.build("tfc-w1a1")
    with pytest.raises(TrainingError, match=message):
        FaultAware(model, *settings)  # type: ignore[arg-type]
    assert injectors_in(model) == []


def test_more_bad_settings() -> None:
    model = models.build("tfc-w1a1")
    with pytest.raises(TrainingError, match="schedule 'linear:10' needs the number of epochs"):
        FaultAware(model, "fat2", 5, schedule="linear:10")
    with pytest.raises(TrainingError, match="recipe object holds p"):
        FaultAware(model, Fat2(5), 5)
    assert injectors_in(model) == []


def test_every_method_has_one_name_and_equal_recipes_are_equal() -> None:
    assert all(issubclass(kind, Method) and kind.name == name for name, kind in METHODS.items())
    assert make_method("fat2", 5) == Fat2(5.0, "channel", "constant") != Fat2(10)
    assert make_method("sat") == Sat()
    assert parse_schedule("step:2=5") == parse_schedule("step:2=5.0")


def test_the_trainer_writes_what_was_enabled_and_takes_it_out(tmp_path: Path) -> None:
    data = digits(100)
    method = make_method("fat2", 10, schedule="linear:20")
    result = train("tfc-w1a1", data, data, recipe(), tmp_path, method=method, progress=False)
    aware = FaultAware(models.build("tfc-w1a1"), method, epochs=3, seed=recipe().seed)
    with (tmp_path / "metrics.csv").open() as file:
        for epoch, row in enumerate(csv.DictReader(file)):
            aware.start_epoch(epoch)
            assert (row["enabled"],) == aware.enabled
            assert float(row["p"]) == [10, 15, 20][epoch]
    assert injectors_in(result.model) == []
    train("tfc-w1a1", data, data, recipe(epochs=1), tmp_path / "sat", progress=False)
    assert (tmp_path / "sat" / "metrics.csv").read_text().splitlines()[0].endswith(",seconds")
    train("tfc-w1a1", data, data, recipe(epochs=1), tmp_path / "all", method=make_method("fat1", 5), progress=False)
    assert (tmp_path / "all" / "metrics.csv").read_text().splitlines()[1].endswith(",5.0,all")
