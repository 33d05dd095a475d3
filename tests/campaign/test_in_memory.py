"""Campaigns without a file, on networks and data that are in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import onnx
import pytest

from fat_fpga import (
    Network,
    Run,
    fault_space,
    load_data,
    load_network,
    report_text,
    run_campaign,
    statistics,
    write_csv,
    write_qonnx,
)
from fat_fpga.errors import CampaignError, PlanError
from fat_fpga.hardening.criticality import criticality_of
from fat_fpga.reports import compare, comparison_text
from tests.campaign.tiny import tiny_data, tiny_network, tiny_run_of


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def same(one: Run, other: Run) -> bool:
    arrays = all(np.array_equal(getattr(one, key), getattr(other, key)) for key in ("labels", "golden", "correct"))
    return arrays and (one.results, one.identity, one.layers) == (other.results, other.identity, other.layers)


def test_a_run_in_memory_is_the_run_in_a_file(tmp_path: Path, scratch: Path) -> None:
    network, data = tiny_network(), tiny_data()
    kept = run_campaign(network, data, fault_space(network), tmp_path / "a.run", "reference")
    run = run_campaign(network, data, engine="reference")
    assert same(run, kept)
    assert (run.path, run.complete) == (None, True)
    assert repr(run).startswith("<Run in memory: tiny on tiny:test, 30 images, 14 of 14 faults>")
    assert report_text(run).splitlines()[1:3] == report_text(kept).splitlines()[1:3]
    write_csv(run, tmp_path / "a.csv")
    assert "the run in memory" in comparison_text(compare([run, kept]))
    assert criticality_of(run).golden == run.error_free
    assert list(scratch.iterdir()) == []


def test_nothing_is_left_of_one_that_is_refused(scratch: Path) -> None:
    with pytest.raises(CampaignError, match="30 images"):
        run_campaign(tiny_network(), tiny_data(), expect_accuracy=99)
    assert list(scratch.iterdir()) == []
    with pytest.raises(PlanError, match=r"^the run in memory has "):
        criticality_of(tiny_run_in_memory(), "pe")


def tiny_run_in_memory() -> Run:
    return run_campaign(tiny_network(), tiny_data(), engine="reference")


def test_models_and_arrays_are_taken(tmp_path: Path) -> None:
    write_qonnx(tiny_network(), tmp_path / "tiny.onnx")
    data = tiny_data()
    run = run_campaign(onnx.load(tmp_path / "tiny.onnx"), (data.images, data.labels))
    assert run.results == tiny_run_in_memory().results
    assert run.identity.network_fingerprint == tiny_network().fingerprint


def test_a_brevitas_network_on_a_torch_data_set() -> None:
    torch = pytest.importorskip("torch")
    from fat_fpga import models

    torch.manual_seed(0)
    module, data = models.build("tfc-w2a2"), load_data("demo:mnist", limit=6)
    network = load_network(module, image_shape=(1, 28, 28))
    pairs = torch.utils.data.TensorDataset(torch.from_numpy(data.images), torch.from_numpy(data.labels))
    faults = fault_space(network, layers=["fc2"])
    run = run_campaign(module, pairs, faults)
    assert same(run, run_campaign(network, (data.images, data.labels), faults)) is False  # another name of the data
    assert run.results == run_campaign(network, data, faults).results


def test_notebooks_show_tables(tmp_path: Path) -> None:
    run = tiny_run_of(tmp_path / "a & b.run", "channel", "weight")
    network = Network("<b>", tiny_network().input, tiny_network().layers)
    for shown, rows, cells in ((run, 1 + len(statistics(run)), 7), (network, 1 + 4, 6)):
        table = ElementTree.fromstring(shown._repr_html_())
        assert [len(row) for row in table.findall("tr")] == [cells] * rows
        assert str(table.findtext("caption")).startswith(repr(shown))
