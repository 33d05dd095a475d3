"""Measures beyond accuracy: by hand, through files and a stop, in reports, and as targets of plans."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import CostMatrix, Run, class_accuracies, measure_of, measures, run_campaign
from fat_fpga.campaign.measures import MEASURES
from fat_fpga.cli import main
from fat_fpga.cli.plan import TARGETS
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import get
from fat_fpga.errors import CampaignError, PlanError
from fat_fpga.faults import fault_space, parse_fault
from fat_fpga.hardening import harden, read_plan, verify, write_plan
from fat_fpga.hardening.criticality import criticality_of
from fat_fpga.hardening.plan_text import plan_summary
from fat_fpga.hardening.planner import Planner
from fat_fpga.hardening.verification_text import verification_text
from fat_fpga.network import Levels, MatrixVectorUnit, Network
from fat_fpga.reports import compare, comparison_text, report_json, report_text
from tests.campaign.tiny import Watched, tiny_data, tiny_network

MATRIX = CostMatrix(np.array([[0, 100, 25, 3], [10, 0, 1, 1], [5, 70, 0, 9], [1, 2, 3, 0]], np.int64), 1)


def seven() -> Network:
    """The tiny network with seven classes, of whose scores many are equal."""
    tiny = tiny_network().canonical
    weights = np.random.default_rng(4).choice([-1, 1], (7, *tiny.units[-1].weights.shape[1:])).astype(np.int32)
    last = MatrixVectorUnit("fc2", weights, None, None, weight_type="BIPOLAR")
    return Network("seven", tiny.input, (*tiny.layers[:-1], last))


def data_of(network: Network, images: int = 40) -> Dataset:
    """Labels that the network gets right in three of four images, so that faults cost something."""
    data = tiny_data(images)
    found = get("reference").open(network).run(data.images, data.labels, []).golden
    labels = np.where(np.arange(images) % 4 == 0, (found + 1) % network.classes, found).astype(np.int64)
    return Dataset("tiny:measures", data.images, labels, tuple("abcdefg"[: network.classes]))


def wide_matrix(classes: int) -> CostMatrix:
    units = np.random.default_rng(2).integers(1, 90, (classes, classes)).astype(np.int64)
    np.fill_diagonal(units, 0)
    return CostMatrix(units, 1)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    network = seven()
    counting = ("top5", "errors", wide_matrix(7).counting, "predictions")
    return run_campaign(network, data_of(network), fault_space(network), tmp_path / "a.run", counting=counting)


def test_measures_by_hand(run: Run) -> None:
    """From the predictions of every image, image by image."""
    assert run.predictions is not None
    assert [measure.name for measure in measures(run)] == list(MEASURES) == list(TARGETS)
    matrix, labels = wide_matrix(7), run.labels.tolist()
    shares, costs = [], []
    for number in range(run.done):
        predicted = run.predictions.of(number).tolist()
        pairs = list(zip(labels, predicted, strict=True))
        shares.append(min(Fraction(sum(t == p == c for t, p in pairs), labels.count(c)) for c in set(labels)))
        costs.append(Fraction(sum(int(matrix.units[t, p]) for t, p in pairs), 10 * run.images))
    own = measure_of(run, "class")
    np.testing.assert_allclose(
        [own.figure(value) for value in own.values.tolist()], [100 * float(s) for s in shares], atol=1e-6
    )
    assert np.argsort(own.values, kind="stable").tolist() == sorted(range(run.done), key=lambda n: (shares[n], n))
    cost = measure_of(run, "cost")
    np.testing.assert_allclose([cost.figure(value) for value in cost.values.tolist()], [float(c) for c in costs])
    free = Fraction(sum(int(matrix.units[t, p]) for t, p in zip(labels, run.golden.tolist(), strict=True)), 400)
    assert cost.figure(cost.fault_free) == pytest.approx(float(free))
    top5 = measure_of(run, "top5")
    assert (top5.values >= run.correct).all()
    assert run.error_free <= top5.fault_free <= run.images
    np.testing.assert_allclose(np.nanmin(class_accuracies(run)[1:], axis=1), [100 * float(share) for share in shares])


def test_files_keep_them_through_a_stop(tmp_path: Path) -> None:
    network, counting = seven(), ("top5", "errors", wide_matrix(7).counting)
    data, faults = data_of(network), fault_space(network)
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, data, faults, tmp_path / "a.run", Watched(2), chunk=5, counting=counting)
    with pytest.raises(CampaignError, match=r"counts top5,errors,cost \([0-9a-f]{8}\) in the file and top5,errors now"):
        run_campaign(network, data, faults, tmp_path / "a.run", "native", counting=("top5", "errors"))
    other = run_campaign(network, data, faults, tmp_path / "b.run", "reference", counting=counting)
    run = run_campaign(network, data, faults, tmp_path / "a.run", "native", counting=counting)
    for mine, theirs in zip(measures(run), measures(other), strict=True):
        np.testing.assert_array_equal(mine.values, theirs.values)
        assert mine.fault_free == theirs.fault_free


def test_what_is_not_counted_is_refused(tmp_path: Path) -> None:
    network = tiny_network()
    run = run_campaign(network, tiny_data(), fault_space(network), tmp_path / "a.run")
    assert [measure.name for measure in measures(run)] == ["accuracy"]
    for name, option in (("top5", "--top5"), ("class", "--per-class"), ("cost", "--cost-matrix FILE")):
        with pytest.raises(CampaignError, match=f"campaign with {option}"):
            measure_of(run, name)
    assert "beyond accuracy" not in report_text(run)


def test_reports_and_comparisons_show_them(run: Run) -> None:
    text = report_text(run)
    assert "worst top-5 accuracy [%]" in text
    assert "mean cost of an image" in text
    rows = report_json(run)["criteria"]
    cost = measure_of(run, "cost")
    (every,) = [
        row for row in rows if row["measure"] == "cost" and row["kind"] in ("all", "channel") and not row["where"]
    ]
    assert every["worst"] == pytest.approx(cost.figure(int(cost.values.min())))
    assert every["worst_fault"] == run.results[cost.worst].fault
    assert "lowest accuracy of a class [%]" in comparison_text(compare([run, run], ["one", "two"]))


@pytest.mark.parametrize("target", MEASURES)
@pytest.mark.parametrize("levels", [None, Levels(-1, 1, 3)])
def test_plans_for_any_measure(target: str, levels: Levels | None, tmp_path: Path) -> None:
    """Each point of the front is the cheapest of all subsets of channels, and a campaign on it keeps the promise."""
    network = seven() if levels is None else tiny_network(levels=levels).canonical
    top5 = ("top5",) if network.classes > 5 else ()
    if target == "top5" and not top5:
        pytest.skip("too few classes")
    data, matrix = data_of(network), wide_matrix(network.classes)
    counting = (*top5, "errors", matrix.counting)
    run = run_campaign(network, data, fault_space(network), tmp_path / "a.run", counting=counting)
    planner = Planner(criticality_of(run, target=target))
    measure = measure_of(run, target)
    points = planner.front()
    assert points[-1].worst_correct == measure.fault_free
    _every_subset(planner, measure.fault_free, {p.worst_correct: p.price for p in points})
    for point in points[:: max(1, len(points) - 1)]:
        plan = planner.plan(point.worst_correct)
        assert plan.worst_error == pytest.approx(plan.about.error(plan.worst_correct))
        write_plan(plan, tmp_path / "plan.json")
        assert read_plan(tmp_path / "plan.json") == plan
        hardened = harden(network, plan)
        path = tmp_path / f"{point.worst_correct}.run"
        after = run_campaign(hardened, data, fault_space(hardened), path, counting=counting)
        found = verify(plan, after)
        assert found.held, verification_text(found)
        worst = found.worst(voter=False)
        assert worst is not None
        assert min(worst.value, measure.fault_free) == plan.worst_correct
        assert plan.about.title in plan_summary(plan)


def _every_subset(planner: Planner, free: int, prices: dict[int, float]) -> None:
    """No subset of channels is cheaper than a point of the front, and keeps as much."""
    worst = planner.criticality.worst
    places = [(unit, part) for unit, own in worst.items() for part in range(len(own))]
    assert len(places) <= 8
    for chosen in product((False, True), repeat=len(places)):
        copies = {place for place, taken in zip(places, chosen, strict=True) if taken}
        kept = min([free, *(int(worst[u][p]) for u, p in places if (u, p) not in copies)])
        counts = {unit: sum(u == unit for u, _ in copies) for unit in worst}
        built = planner.builder.cheapest({**dict.fromkeys((u.name for u in planner.criticality.design), 0), **counts})
        assert built is not None
        assert min(price for value, price in prices.items() if value >= kept) <= planner.builder.price(built) + 1e-9


def test_limits_are_exact(tmp_path: Path) -> None:
    """The cost that a message names can be asked for, and no lower one."""
    network = tiny_network().canonical
    run = run_campaign(
        network, data_of(network), fault_space(network), tmp_path / "a.run", counting=("errors", MATRIX.counting)
    )
    planner = Planner(criticality_of(run, target="cost"))
    with pytest.raises(PlanError, match="nearest possible --worst-cost ") as told:
        planner.plan_for_cost(Fraction(0))
    nearest = Fraction(str(told.value).rsplit(" ", 1)[1])
    assert planner.plan_for_cost(nearest).worst_correct == planner.criticality.golden
    with pytest.raises(PlanError, match="ask for --worst-cost"):
        planner.plan_for_error(Fraction(50))
    with pytest.raises(PlanError, match="is for --target cost"):
        Planner(criticality_of(run)).plan_for_cost(Fraction(1))
    other = CostMatrix(MATRIX.units + 1, 1)
    plan = planner.plan(planner.criticality.targets[0])
    hardened = harden(network, plan)
    after = run_campaign(
        hardened, data_of(network), fault_space(hardened), tmp_path / "b.run", counting=(other.counting,)
    )
    with pytest.raises(PlanError, match="costs of another matrix"):
        verify(plan, after)


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "costs.csv").write_text(
        "\n".join(",".join("0" if i == j else "1.5" for j in range(10)) for i in range(10))
    )
    run, plan = str(tmp_path / "a.run"), str(tmp_path / "plan.json")
    words = [
        "campaign",
        "tfc_w2a2",
        "--data",
        "demo:mnist",
        "--images",
        "40",
        "--layers",
        "fc0,fc1,fc2",
        "-q",
        "-o",
        run,
    ]
    assert main([*words, "--top5", "--per-class", "--cost-matrix", str(tmp_path / "costs.csv")]) == 0
    found = Run.open(run)
    faults = [parse_fault(result.fault) for result in found.results[:3]]
    assert set(found.counts) == {"top5", "cost", *(f"wrong {label}" for label in range(10))}
    assert faults
    np.testing.assert_array_equal(found.counts["cost"], 15 * (40 - found.correct))
    for target, goal in (("class", "--worst-error=100"), ("cost", "--worst-cost=1.5"), ("top5", "--budget=1.2x")):
        assert main(["plan", run, "--target", target, goal, "-o", plan]) == 0
        assert read_plan(plan).about.name == target
    capsys.readouterr()
    assert main(["plan", run, "--target", "cost", "--worst-error", "3"]) == 2
    assert "costs have no percentages" in capsys.readouterr().err
    assert main(["plan", run, "--target", "cost", "--front"]) == 0
    assert "worst mean cost" in capsys.readouterr().out
