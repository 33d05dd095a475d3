"""Files with a fault built in: what is written is read, and runs as the network with that fault."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from fat_fpga.campaign import run_campaign
from fat_fpga.cli import main
from fat_fpga.crosscheck import KINDS, sample_faults
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import get
from fat_fpga.engines.faulty_graph import write_faulty_qonnx
from fat_fpga.engines.reference import execute
from fat_fpga.errors import DataError, FaultError, ModelError, PlanError
from fat_fpga.faults import check_faults, fault_space, memory_fingerprint, parse_fault
from fat_fpga.hardening.rewrite import rearranged
from fat_fpga.network import Network, load_network, write_qonnx
from tests.designs.random_network import random_images, random_network


def faulty(network: Network, fault: str, path: Path) -> Network:
    write_faulty_qonnx(network, parse_fault(fault), path)
    return load_network(path)


@pytest.mark.parametrize("seed", range(6))
def test_every_kind_is_read_again_and_does_what_it_says(seed: int, tmp_path: Path) -> None:
    network = random_network(seed)
    images = random_images(network, 3, seed)
    for fault in sample_faults(network, KINDS, 27, 1, seed):
        found = faulty(network, str(fault), tmp_path / "faulty.onnx")
        assert found.fault == str(fault)
        assert memory_fingerprint(found.fault_free) == memory_fingerprint(network)
        assert found.fingerprint != network.fingerprint
        for n in range(3):  # a transient is in the file for good: each image is its frame
            expected = execute(network, images[n : n + 1], [fault])
            for name in ("reference", "native"):
                streams = get(name).open(found).trace(images)
                for place, stream in streams.items():
                    assert np.array_equal(stream[n : n + 1], expected[place]), (fault, name, place)


def test_a_campaign_adds_a_second_fault(tmp_path: Path) -> None:
    network = random_network(4)
    first = f"{network.units[0].name}/pixel[0,0] = {network.units[0].levels.max}"  # type: ignore[union-attr]
    found, images = faulty(network, first, tmp_path / "faulty.onnx"), random_images(network, 8)
    labels = np.arange(8) % network.classes
    data = Dataset("random", images, labels, tuple(map(str, range(network.classes))))
    second = fault_space(network).sample(12, 1)
    for engine in ("native", "reference"):
        run = run_campaign(found, data, second, tmp_path / f"{engine}.run", engine)
        together = [parse_fault(f"{first} & {result.fault}") for result in run.results]
        alone = get("reference").open(network).run(images, labels, [parse_fault(first), *together], predictions=True)
        assert alone.predictions is not None
        assert np.array_equal(run.golden, alone.predictions[0])
        assert np.array_equal(run.correct, alone.correct[1:])
        assert np.array_equal(run.changed, (alone.predictions[1:] != alone.predictions[0]).sum(axis=1))


def test_no_engine_takes_it_for_the_network_without_the_fault(tmp_path: Path) -> None:
    network = random_network(4)
    images, labels = random_images(network, 8), np.zeros(8, np.int64)
    faults = list(fault_space(network))
    wanted = get("reference").open(network).run(images, labels, faults, predictions=True)
    worst = int(wanted.changed.argmax())
    assert wanted.changed[worst] > 0
    assert wanted.predictions is not None
    present = str(faults[worst])
    found = faulty(network, present, tmp_path / "faulty.onnx")
    for name in ("native", "reference", "torch", "qonnx"):
        session = get(name).open(found)
        assert np.array_equal(session.run(images, labels, []).golden, wanted.predictions[worst])
        with pytest.raises(FaultError, match="channels 0 to"):
            session.run(images, labels, [parse_fault(f"{network.units[0].name}/channel[999] = 0")])
        with pytest.raises(DataError, match="takes uint8 images"):
            session.run(images[:, :, :1, :1], labels, [])
    with pytest.raises(FaultError, match=r"has the fault .*channel.* in it"):
        check_faults(found, [])
    with pytest.raises(ModelError, match="write the network without it"):
        write_qonnx(found, tmp_path / "again.onnx")
    with pytest.raises(PlanError, match="rearrange the network without it"):
        rearranged(found, network.units[0].name, range(network.units[0].channels))


def test_a_file_that_was_changed_since_is_refused(tmp_path: Path) -> None:
    network, path = random_network(4), tmp_path / "faulty.onnx"
    faulty(network, f"{network.units[0].name}/weight[0,0,0,0].bit[0] ^ 1", path)
    model = onnx.load(path)
    weights = next(t for t in model.graph.initializer if t.name == f"{network.units[0].name}_weights")
    weights.CopyFrom(onnx.numpy_helper.from_array(-onnx.numpy_helper.to_array(weights), weights.name))
    onnx.save(model, path)
    with pytest.raises(ModelError, match="it has been changed since"):
        load_network(path)


def test_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_qonnx(random_network(4), "net.onnx")
    name = random_network(4).units[0].name
    assert main(["inject", "net.onnx", f"{name}/accumulator[0].bit[1] ^ 1", "-o", "f.onnx"]) == 0
    assert main(["info", "f.onnx"]) == 0
    assert "fault in it" in capsys.readouterr().out
    assert main(["crosscheck", "f.onnx", "--engines", "native,file,qonnx", "--sample", "9", "--images", "2", "-q"]) == 0
    assert capsys.readouterr().out.endswith("equal\n")
    assert main(["inject", "f.onnx", f"{name}/channel[1] = 0", "-o", "g.onnx"]) == 2
    assert "built in: give the model without it" in capsys.readouterr().err
