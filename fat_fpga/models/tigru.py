"""TiGRU of Ares (Reagen et al., DAC 2018): one GRU and two fully connected layers on 39 features at 254 time steps.

The paper gives 143,000 weights of the GRU, 10 million of the layers behind it, and 10 classes. That is a GRU of 200
units, all of whose 254 states go to 200 neurons: ``TiGRU(200, 200)``. The network that comes with the package is a
small one, ``TiGRU(32, 16)``, trained on the Free Spoken Digit Dataset; its weights are stored as float16.

    fat-fpga campaign module:fat_fpga.models.tigru:trained --data fsdd:DIR --faults state --sample 1000 -o tigru.run
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from fat_fpga.arguments import checked
from fat_fpga.files import replacing
from fat_fpga.models.zoo import FOLDER
from fat_fpga.npz_file import read_npz

FEATURES, STEPS = 39, 254
FILE = FOLDER / "tigru.npz"


class TiGRU(nn.Module):
    """One GRU, whose states of all steps go to two fully connected layers.

    Input: float32 features [N, 39, 254]. Output: float32 class scores [N, classes].

    Args:
        hidden: units of the GRU.
        units: neurons of the first fully connected layer.
        classes: how many there are.
        dropout: probability with which a state is left out in training.
    """

    @checked
    def __init__(self, hidden: int = 200, units: int = 200, classes: int = 10, dropout: float = 0.5) -> None:
        super().__init__()
        self.gru = nn.GRU(FEATURES, hidden, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.fc1 = nn.Linear(STEPS * hidden, units)
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(units, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the scores."""
        states, _ = self.gru(x.transpose(1, 2))
        scores: Tensor = self.fc2(self.act(self.fc1(self.drop(states.flatten(1)))))
        return scores


def trained() -> TiGRU:
    """The bundled network, in evaluation mode, in float32."""
    found = read_npz(FILE)
    hidden, units = found["gru.weight_hh_l0"].shape[1], found["fc1.bias"].shape[0]
    model = TiGRU(hidden, units, found["fc2.bias"].shape[0])
    model.load_state_dict({name: torch.from_numpy(values.astype(np.float32)) for name, values in found.items()})
    return model.eval()


def store(model: TiGRU) -> None:
    """Make a network the bundled one; its weights are rounded to float16."""
    arrays = {name: tensor.detach().cpu().numpy().astype(np.float16) for name, tensor in model.state_dict().items()}
    with replacing(FILE) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
