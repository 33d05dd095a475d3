"""Networks in NumPy files."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given

from fat_fpga.errors import ModelError
from fat_fpga.network import Network
from fat_fpga.network.network_file import read_network, write_network
from tests.designs.random_network import networks, random_network


@given(networks())
def test_every_network_comes_back(network: Network) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.npz"
        write_network(network, path)
        found = read_network(path)
    assert found.fingerprint == network.fingerprint
    assert (found.name, found.shapes, found.input.scale) == (network.name, network.shapes, network.input.scale)
    for a, b in zip(found.layers, network.layers, strict=True):
        assert type(a) is type(b)
        assert (a.name, a.node) == (b.name, b.node)
        assert getattr(a, "weight_type", None) == getattr(b, "weight_type", None)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "other.npz", table=np.zeros(3))
    (tmp_path / "empty.npz").touch()
    with (tmp_path / "array.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    write_network(random_network(4), tmp_path / "cut.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:-100])
    for name in ("missing.npz", "text.npz", "other.npz", "empty.npz", "array.npz", "cut.npz"):
        with pytest.raises(ModelError, match="cannot read the network file"):
            read_network(tmp_path / name)
    write_network(random_network(4), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        content = dict(file)
    content["weights0"] = content["weights0"] + 1
    np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(ModelError, match="is damaged"):
        read_network(tmp_path / "a.npz")
