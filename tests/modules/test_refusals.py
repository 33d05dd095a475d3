"""What is refused, and what the message says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fat_fpga.campaign import run_campaign
from fat_fpga.engines import get
from fat_fpga.errors import EngineError, FatFpgaError, FaultError, ModelError
from fat_fpga.faults import check_faults, fault_space, parse_fault
from fat_fpga.modules import ModuleSubject, load_module
from tests.campaign.tiny import tiny_network

ROWS, LABELS = np.ones((3, 4), np.float32), np.zeros(3, np.int64)


def plain_net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)).eval()


def subject_of(module: nn.Module) -> ModuleSubject:
    return ModuleSubject(module, (4,), pixels="none")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("00/weight[0,0].bit[1] ^ 1", "unknown place '00': Sequential has 0"),
        ("0/weight[0,0].bit[32] ^ 1", "these words of 0 have bits 0 to 31"),
        ("0/weight[0].bit[1] ^ 1", r"expected weight\[output channel,input channel\], got 1 number"),
        ("0/weight[5,0].bit[1] ^ 1", "0 has output channels 0 to 4"),
        ("1/weight[0].bit[1] ^ 1", "1 has no weight memory"),
        (
            "0/state[0,0,0].bit[1] ^ 1 @ frame[0]",
            "0 has no hidden state that can be met: a GRU, LSTM or RNN, called once",
        ),
        ("0/activation[0].bit[1] ^ 1", "kind activation takes @ frame"),
        ("0/channel[0] = 1", "0 has no such faults: it takes faults of kind weight, activation, output"),
        ("0/pe[0 of 2] = 1", "0 has no such faults"),
        ("0/weight[*].bit[40] ^ 1 ~ 0.1 @ sample[0]", "its words have bits 0 to 31"),
        ("0/weight[*].bit[*] = masked ~ 0.1 @ sample[0]", "no two's complement"),
        ("2.weight/weight[*].bit[*] ^ 1 ~ 0.1 @ sample[0]", "unknown place '2.weight': Sequential has 2"),
    ],
)
def test_faults_that_are_not_there(text: str, message: str) -> None:
    with pytest.raises(FaultError, match=message):
        check_faults(subject_of(plain_net()), [parse_fault(text)])


def test_a_module_in_training_mode() -> None:
    module = plain_net()
    module.get_submodule("1").train()
    with pytest.raises(ModelError, match=r"in training mode \(1\): call .eval\(\) first"):
        subject_of(module)
    subject = subject_of(module.eval())
    module.train()
    with pytest.raises(ModelError, match="in training mode"):
        get("module").open(subject).run(ROWS, LABELS, [])


def test_a_module_that_is_not_deterministic() -> None:
    class Noisy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + torch.rand_like(x)

    with pytest.raises(EngineError, match="Noisy is not deterministic: two runs without faults"):
        get("module").open(ModuleSubject(Noisy().eval(), (4,), pixels="none")).run(ROWS, LABELS, [])


def test_a_module_that_changes_itself() -> None:
    class Counts(nn.Module):
        seen: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(1))

        def forward(self, x: Tensor) -> Tensor:
            self.seen += 1
            return x

    with pytest.raises(EngineError, match="Counts changes seen while it runs"):
        get("module").open(ModuleSubject(Counts().eval(), (4,), pixels="none")).run(ROWS, LABELS, [])


def test_modules_that_are_no_classifiers() -> None:
    with pytest.raises(ModelError, match=r"expected class scores \[N, classes\]"):
        ModuleSubject(nn.Conv2d(1, 2, 3).eval(), (1, 8, 8))
    with pytest.raises(ModelError, match=r"cannot be run on data of shape \[2, 5\].*RuntimeError"):
        ModuleSubject(plain_net(), (5,), pixels="none")


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        ({"weight": "Q99.1"}, "m \\+ n is 2 to 32"),
        ({"3/weight": "Q2.6"}, "format of '3/weight': unknown place '3'"),
        ({"activation": "int8"}, "needs a scale"),
    ],
)
def test_formats_that_do_not_fit(formats: dict[str, str], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        ModuleSubject(plain_net(), (4,), pixels="none", formats=formats)


def test_names_that_no_fault_can_be_written_with() -> None:
    module = nn.Sequential()
    module.add_module("a-b", nn.Linear(4, 3))
    with pytest.raises(ModelError, match="'a-b', which no fault can be written with"):
        ModuleSubject(module.eval(), (4,), pixels="none")


def test_engines_of_the_other_kind() -> None:
    with pytest.raises(EngineError, match="the native engine executes integer networks, and Sequential is none"):
        get("native").open(subject_of(plain_net()))
    with pytest.raises(EngineError, match="the module engine executes PyTorch modules"):
        get("module").open(tiny_network())
    with pytest.raises(EngineError, match="takes the option plain, got 'fast'"):
        get("module:fast")
    with pytest.raises(EngineError, match="'voter' is of hardware"):
        get("module").open(subject_of(plain_net())).run(
            ROWS, LABELS, [parse_fault("0.bias/weight[0].bit[1] ^ 1")], counting=("outcomes", "voter")
        )


def test_a_network_has_no_faults_of_modules() -> None:
    for kind in ("output", "state"):
        assert len(fault_space(tiny_network(), kind, frames=3)) == 0
    with pytest.raises(FatFpgaError, match=r"has no faults of kind state: .* has none at all"):
        fault_space(tiny_network(), "state", ["conv0"], frames=3)


def test_weights_that_do_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some_nets.py").write_text(
        "from torch import nn\nWIDTH = 4\n\ndef net():\n    return nn.Linear(4, 3)\n\ndef broken():\n    return 1 / 0\n"
    )
    file = tmp_path / "w.pt"
    torch.save({"state_dict": {"weight": torch.ones(3, 4), "bias": torch.zeros(3)}}, file)
    assert load_module("module:some_nets:net", file)(torch.ones(1, 4)).tolist() == [[4.0] * 3]
    torch.save({"weight": torch.ones(2, 4), "bias": torch.zeros(3)}, file)
    wrong = {
        ("module:some_nets:net", file): r"w.pt does not fit module:some_nets:net: size mismatch for weight",
        ("module:some_nets:net", tmp_path / "none.pt"): "there is no such file of weights",
        ("module:some_nets:net", tmp_path / "some_nets.py"): "is no file of weights that can be read safely",
        ("module:some_nets:other", None): "some_nets has no other",
        ("module:some_nets:WIDTH", None): "WIDTH is a int, and makes nothing",
        ("module:some_nets:broken", None): r"broken\(\) raises ZeroDivisionError",
        ("module:no_such_package:net", None): "no_such_package cannot be imported: ModuleNotFoundError",
        ("module:some_nets", None): "expected module:PACKAGE:FACTORY",
    }
    for (text, weights), message in wrong.items():
        with pytest.raises(ModelError, match=message):
            load_module(text, weights)


def test_a_file_that_executes_something_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Bad:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return eval, ("__import__('pathlib').Path('harm').touch()",)

    monkeypatch.chdir(tmp_path)
    (tmp_path / "one_net.py").write_text("from torch import nn\n\ndef net():\n    return nn.Linear(4, 3)\n")
    torch.save(Bad(), tmp_path / "bad.pt")
    with pytest.raises(ModelError, match="is no file of weights that can be read safely"):
        load_module("module:one_net:net", tmp_path / "bad.pt")
    assert not (tmp_path / "harm").exists()


def test_a_run_file_of_other_weights_or_formats(tmp_path: Path) -> None:
    module, path = plain_net(), tmp_path / "a.run"
    faults = [parse_fault("0/weight[0,0].bit[1] ^ 1")]
    run_campaign(subject_of(module), (ROWS, LABELS), faults, path)
    assert run_campaign(subject_of(module), (ROWS, LABELS), faults, path).complete
    with pytest.raises(FatFpgaError, match="holds another campaign: the model is Sequential"):
        run_campaign(
            ModuleSubject(module, (4,), pixels="none", formats={"weight": "float16"}), (ROWS, LABELS), faults, path
        )
    with torch.no_grad():
        module.get_parameter("0.bias")[0] += 1
    with pytest.raises(FatFpgaError, match="holds another campaign: the model is Sequential"):
        run_campaign(subject_of(module), (ROWS, LABELS), faults, path)


@pytest.mark.parametrize("form", ["^ 1 with secded[64] ~ 0.1 @ sample[0]", "^ 1 burst[2] ~ 0.1 @ sample[0]"])
def test_protected_memories_are_of_integer_networks(form: str) -> None:
    pattern = f"0/weight[*].bit[*] {form}"
    with pytest.raises(FaultError, match="is of memories of integer networks, and Sequential is a module"):
        check_faults(subject_of(plain_net()), [parse_fault(pattern)])


def test_hidden_states_with_projection() -> None:
    class Projected(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = nn.LSTM(3, 4, proj_size=2, batch_first=True), nn.Linear(2, 3)

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.head(self.lstm(x)[0][:, -1])
            return found

    subject = ModuleSubject(Projected().eval(), (5, 3), pixels="none")
    with pytest.raises(FaultError, match=r"lstm has no hidden state that can be met: .* without projection"):
        check_faults(subject, [parse_fault("lstm/state[0,0,0].bit[1] ^ 1 @ frame[0]")])
