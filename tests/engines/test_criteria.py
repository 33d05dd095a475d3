"""Top-5 and costs: equal in every engine, and what a plain count over all scores gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.engines import get
from fat_fpga.engines.criteria import CostMatrix, among_highest, read_cost_matrix
from fat_fpga.engines.reference import execute
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, Fault, FaultSet
from fat_fpga.network import Network
from tests.campaign.tiny import tiny_data, tiny_network
from tests.designs.random_faults import mixed_faults
from tests.designs.random_graph import random_graph
from tests.designs.random_network import random_images, random_network


def wide(seed: int) -> Network:
    """A random network, or graph, of more than five classes."""
    make = random_graph if seed % 3 == 0 else random_network
    return next(found for found in map(make, range(seed * 1000, seed * 1000 + 1000)) if found.classes > 5)


def any_matrix(classes: int, seed: int) -> CostMatrix:
    units = np.random.default_rng(seed).integers(0, 50, (classes, classes))
    return CostMatrix(units.astype(np.int64), seed % 3)


def by_hand(network: Network, matrix: CostMatrix, seed: int, faults: list[AnyFault]) -> tuple[list[int], list[int]]:
    """Images whose label is among the five highest, and the sum of costs, under each fault, from sorted scores."""
    images = random_images(network, 6, seed)
    top5, costs = [], []
    for fault in faults:
        assert isinstance(fault, (Fault, FaultSet))
        scores = execute(network, images, [fault])[network.scores][:, :, 0, 0]
        orders = [sorted(range(len(row)), key=lambda c, row=row: (-row[c], c)) for row in scores.tolist()]  # type: ignore[misc]
        top5.append(sum(label in order[:5] for label, order in zip(labels_of(network), orders, strict=True)))
        costs.append(sum(int(matrix.units[t, o[0]]) for t, o in zip(labels_of(network), orders, strict=True)))
    return top5, costs


def labels_of(network: Network) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(6, dtype=np.int64) % network.classes


@given(st.integers(0, 10**6))
def test_native_counts_what_the_scores_say(seed: int) -> None:
    network = wide(seed)
    matrix = any_matrix(network.classes, seed)
    faults = mixed_faults(network, 25, seed, 6)
    run = get("native").open(network).run(
        random_images(network, 6, seed), labels_of(network), faults, counting=("top5", matrix.counting)
    )  # fmt: skip
    top5, costs = by_hand(network, matrix, seed, faults)
    assert run.counts["top5"].tolist() == top5
    assert run.counts["cost"].tolist() == costs
    again = get("native").open(network).run(random_images(network, 6, seed), labels_of(network), faults)
    np.testing.assert_array_equal(again.correct, run.correct)
    np.testing.assert_array_equal(again.changed, run.changed)


@pytest.mark.parametrize("seed", range(2))
def test_every_engine_counts_the_same(seed: int) -> None:
    network = wide(seed + 5)
    matrix = any_matrix(network.classes, seed)
    faults = mixed_faults(network, 20, seed, 6)
    assert faults
    images, labels = random_images(network, 6, seed), labels_of(network)
    sessions = [get(name).open(network) for name in ("reference", "native", "torch", "qonnx")]
    outcomes = [each.run(images, labels, faults, counting=("top5", "errors", matrix.counting)) for each in sessions]
    for outcome in outcomes[1:]:
        for name, count in outcomes[0].counts.items():
            np.testing.assert_array_equal(outcome.counts[name], count, name)
    assert len({each.fault_free_top5(images, labels) for each in sessions}) == 1
    parts = [
        sessions[1].run(images[part], labels[part], faults, counting=("top5",), first_frame=part.start, frames=6)
        for part in (slice(0, 2), slice(2, 6))
    ]
    np.testing.assert_array_equal(sum(part.counts["top5"] for part in parts), outcomes[0].counts["top5"])


def test_ties_and_numbers_that_are_none() -> None:
    equal = np.zeros((3, 7))
    assert among_highest(equal, np.array([0, 4, 5])) == 2
    equal[0, 3] = np.nan
    assert among_highest(equal, np.array([0, 4, 5])) == 1


def test_a_matrix_by_hand(tmp_path: Path) -> None:
    """Two images of class 0 and one of class 1: 0 for 0, 1 for 0 (2.5), 0 for 1 (0.25)."""
    (tmp_path / "a.csv").write_text(",stop,priority\nstop,0,2.5\npriority,0.25,0\n")
    matrix = read_cost_matrix(tmp_path / "a.csv", ["stop", "priority"])
    assert (matrix.decimals, matrix.units.tolist()) == (2, [[0, 250], [25, 0]])
    assert CostMatrix.of_text(matrix.text).text == matrix.text
    table = np.array([[0, 1, 0], [0, 0, 1], [-1, 0, -1]], np.int32)
    assert matrix.total(table, np.array([0, 0, 1])).tolist() == [275, 0, 275]
    (tmp_path / "b.csv").write_text("0,2.5\n0.25,0\n")
    assert read_cost_matrix(tmp_path / "b.csv").text == matrix.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0,1\n2,x\n", "the cost of class 1 for class 1 must be a number from 0 up, got 'x'"),
        ("0,-1\n2,0\n", "from 0 up, got '-1'"),
        ("0,1\n2,0,3\n", "as many columns as rows, got 2 rows, row 1 has 3 columns"),
        ("0,nan\n2,0\n", "got 'nan'"),
        ("0,0\n0,0\n", "every cost is 0"),
        ("", "as many columns as rows, got 0 rows"),
        ("0,1e99\n1,0\n", "give shorter ones"),
        (",b,a\nb,0,1\na,1,0\n", r"its columns are \['b', 'a'\], and the classes are \['a', 'b'\]"),
    ],
)
def test_what_is_no_matrix(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(EngineError, match=told):
        read_cost_matrix(tmp_path / "a.csv", ["a", "b"])


def test_what_cannot_be_counted() -> None:
    network, data = tiny_network(), tiny_data(3)
    session = get("reference").open(network)
    with pytest.raises(EngineError, match="has 4 classes, so each is among the 5 highest"):
        session.run(data.images, data.labels, [], counting=("top5",))
    with pytest.raises(EngineError, match="is of 3 classes, and tiny has 4"):
        session.run(data.images, data.labels, [], counting=(any_matrix(3, 1).counting,))
    with pytest.raises(EngineError, match="is no cost matrix"):
        session.run(data.images, data.labels, [], counting=("cost:2;0 x",))
