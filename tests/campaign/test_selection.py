"""How a fault list came about is kept, and shares of a sample get their interval."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scipy.stats import binomtest

from fat_fpga.campaign import Run, Selection, changing, harmful, read_fault_list, read_selection, run_campaign
from fat_fpga.campaign.intervals import wilson
from fat_fpga.campaign.list_header import MARK, head_lines
from fat_fpga.errors import CampaignError, FaultError, FaultWarning
from fat_fpga.faults import Effect, fault_space
from fat_fpga.faults.block import BIT_EFFECTS
from fat_fpga.reports import compare, comparison_text, report_text
from fat_fpga.reports.criticality import criticality
from fat_fpga.reports.every_fault import every_fault
from fat_fpga.reports.part import parts
from fat_fpga.reports.style import labels

from .tiny import FOLDING, Watched, tiny_data, tiny_network, tiny_run, tiny_run_of

NETWORK = tiny_network()


def test_a_whole_space(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "a.run")
    origin = run.origin
    assert (origin.source, origin.kinds, origin.places, origin.effects) == (
        "space",
        "channel",
        "conv0,conv1",
        "stuck at -1, +1",
    )
    assert (origin.space, origin.sample, origin.seed, run.asked) == (14, None, None, 14)
    assert not origin.drawn
    assert origin.describe(run.asked) == "all 14 channel faults in conv0, conv1 (stuck at -1, +1)"


def test_a_sample_keeps_asked_and_realised(tmp_path: Path) -> None:
    run = tiny_run_of(tmp_path / "a.run", "weight", sample=10)
    assert (run.origin.space, run.origin.sample, run.origin.seed, run.asked) == (132, 10, 3, 10)
    assert run.origin.drawn
    assert run.origin.describe(10) == (
        "10 of 132 weight faults in conv0, conv1, fc2 (flipped), drawn without replacement, seed 3"
    )
    more = tiny_run_of(tmp_path / "b.run", "weight", sample=1000)
    assert (more.origin.sample, more.asked, more.origin.drawn) == (1000, 132, False)
    assert more.origin.describe(132) == "all 132 weight faults in conv0, conv1, fc2 (flipped); 1,000 were asked for"


def test_what_a_space_is_made_of() -> None:
    both = fault_space(NETWORK, "pe", pes=FOLDING) + fault_space(NETWORK, "weight", effects=[Effect(0), Effect(1)])
    origin = Selection.of(both).origin
    assert (origin.kinds, origin.folding) == ("pe,weight", "conv0 2, conv1 2")
    assert origin.effects == "pe stuck at -1, +1; weight stuck at 0, 1"
    assert Selection.of(fault_space(NETWORK, "channel", ["input"])).origin.effects == "stuck at -128 to +127"
    space = fault_space(NETWORK, "weight", effects=BIT_EFFECTS)
    assert Selection.of(space).origin.effects == "flipped or stuck at 0, 1"
    assert Selection.of(list(both)[:1]).origin.describe(1) == "1 given pe fault in conv0"


def test_a_sample_of_nothing() -> None:
    with pytest.raises(CampaignError, match="at least one fault, got 0"):
        Selection.sample(fault_space(NETWORK), 0)


@pytest.mark.parametrize(("count", "trials"), [(0, 10), (1, 10), (5, 10), (10, 10), (37, 10_000), (0, 10_000)])
def test_wilson_equals_scipy(count: int, trials: int) -> None:
    expected = binomtest(count, trials).proportion_ci(method="wilson")
    assert wilson(count, trials) == pytest.approx((100 * expected.low, 100 * expected.high), abs=1e-9)


def test_shares_count_and_only_a_finished_sample_has_an_interval(tmp_path: Path) -> None:
    whole, sample = tiny_run(tmp_path / "a.run"), tiny_run_of(tmp_path / "b.run", "weight", sample=40)
    for run in (whole, sample):
        drops = [100 * (run.error_free - r.correct) / run.images for r in run.results]
        assert harmful(run, run.results).count == sum(drop > 1 for drop in drops)
        assert changing(run, run.results).count == sum(r.changed > 0 for r in run.results)
        assert harmful(run, run.results).faults == run.asked
    assert harmful(whole, whole.results).interval is None
    share = changing(sample, sample.results)
    more = 131 / (132 - 40)  # as if so many times the draws had been independent
    assert share.interval == pytest.approx(wilson(share.count * more, 40 * more))
    faults = Selection.sample(fault_space(NETWORK, "weight"), 40, 3)
    with pytest.raises(KeyboardInterrupt):
        run_campaign(NETWORK, tiny_data(), faults, tmp_path / "c.run", Watched(2), chunk=20)
    part = Run.open(tmp_path / "c.run")
    assert (part.done, changing(part, part.results).interval) == (20, None)


def test_a_fault_list_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# two of them\nconv1/channel[2]=+1  # stuck\n\nconv0/pixel[0,0] = +1 & conv1/channel[0] = -1\n")
    assert [str(fault) for fault in read_fault_list(path, NETWORK)] == [
        "conv1/channel[2] = +1",
        "conv0/pixel[0,0] = +1 & conv1/channel[0] = -1",
    ]
    with path.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert len(read_fault_list("-", NETWORK)) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no faults in it"),
        ("# nothing\n\n", "no faults in it"),
        ("conv1/channel[2] = +1\nconv1/channel[2 = +1\n", "line 2: cannot read fault"),
        ("\nconv1/channel[3] = +1", "line 2: .* has channels 0 to 2"),
        ("conv1/channel[2] = +1\n\nconv1/channel[2]=1\n", "line 3: .* is there already, in line 1"),
        ("conv0/activation[0,0,0].bit[0] ^ 1 @ frame[30]", "line 1: .* images 0 to 29"),
        (b"\xff\xfe\x00", "this is no text"),
    ],
)
def test_a_bad_fault_list_names_the_line(tmp_path: Path, content: str | bytes, words: str) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FaultError, match=words) as raised:
        read_fault_list(path, NETWORK, 30)
    assert str(path) in str(raised.value)


def drawn_list(path: Path, selection: Selection) -> Path:
    path.write_text("\n".join([*head_lines(selection, NETWORK), *map(str, selection.faults)]) + "\n")
    return path


@pytest.mark.parametrize("how", ["whole", "sample", "stratified"])
def test_a_drawn_list_is_the_sample_it_was_drawn_as(tmp_path: Path, how: str) -> None:
    space = fault_space(NETWORK, "weight") + fault_space(NETWORK, "pe", pes=FOLDING)
    selection = {
        "whole": lambda: Selection.of(space),
        "sample": lambda: Selection.sample(space, 40, 3),
        "stratified": lambda: Selection.stratified(space, 40, 3, ("layer", "bit"), 1),
    }[how]()
    path = drawn_list(tmp_path / "list.txt", selection)
    found = read_selection(path, NETWORK)
    assert found.origin == selection.origin
    assert list(found.faults) == list(selection.faults)
    first, second, *lines = path.read_text().splitlines()
    path.write_text("\n".join(["# mine", second, "", *(f"{line}  # x" for line in sorted(lines)), first]))
    assert read_selection(path, NETWORK).origin == selection.origin
    direct = run_campaign(NETWORK, tiny_data(), selection, tmp_path / "a.run", "reference")
    listed = run_campaign(NETWORK, tiny_data(), found, tmp_path / "b.run", "reference")
    assert listed.origin == direct.origin == Run.open(tmp_path / "b.run").origin
    assert (
        report_text(listed).split("done")[1].split("\n", 1)[1] == report_text(direct).split("done")[1].split("\n", 1)[1]
    )


@pytest.mark.parametrize("change", ["cut", "joined", "seed", "population", "network"])
def test_a_list_that_was_changed_holds_given_faults(tmp_path: Path, change: str) -> None:
    path = drawn_list(tmp_path / "list.txt", Selection.stratified(fault_space(NETWORK, "weight"), 40, 3))
    network, text = NETWORK, path.read_text()
    if change == "cut":
        text = text.rsplit("\n", 2)[0] + "\n"
    elif change == "joined":
        text += "conv0/channel[0] = -1\n"
    elif change == "seed":
        text = text.replace('"seed": 3', '"seed": 4')
    elif change == "population":
        text = text.replace('"population": 36', '"population": 3600')
    else:
        network = tiny_network(1)
    assert change in ("network",) or text != path.read_text()
    path.write_text(text)
    with pytest.warns(FaultWarning, match="so its faults are given ones, no sample"):
        found = read_selection(path, network)
    assert found.origin.source == "list"
    assert found.origin.describe(len(found.faults)).startswith(f"{len(found.faults)} given ")


@pytest.mark.parametrize(
    "line",
    ["", "[", "[]", "{}", '{"format": 2}', "[" * 100_000, "null", '{"format": 1, "digest": NaN}'],
)
def test_a_head_that_cannot_be_read_is_refused_or_not_believed(tmp_path: Path, line: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"{MARK} {line}\nconv0/channel[0] = -1\n")
    if "digest" in line:
        with pytest.warns(FaultWarning):
            assert read_selection(path, NETWORK).origin.source == "list"
        return
    with pytest.raises(FaultError, match=r"line 1: the origin of the list is (no JSON|not in format 1): draw the list"):
        read_selection(path, NETWORK)


def test_a_report_of_some_faults_never_says_all(tmp_path: Path) -> None:
    network, space = tiny_network(), fault_space(tiny_network(), "weight")
    for name, selection in (
        ("a", Selection.sample(space, 20)),
        ("b", Selection.stratified(space, 20)),
        ("c", Selection.of(list(space)[:20])),
    ):
        run = run_campaign(network, tiny_data(), selection, tmp_path / f"{name}.run", "reference")
        text = report_text(run)
        assert not re.search(r"\ball\b", text, re.IGNORECASE)
        assert f"20 {run.origin.word} faults" in text
        whole = run_campaign(network, tiny_data(), space, tmp_path / "whole.run", "reference")
        compared = comparison_text(compare([run, whole], ["some", "whole"]))
        assert "so not ranked: some" in compared
        for part in parts(run):
            for figure in (every_fault(part), criticality(part)):
                assert not re.search(r"\ball\b", figure.axes[0].get_title(loc="left"), re.IGNORECASE)
                assert run.origin.word in figure.axes[0].get_title(loc="left") + figure.axes[0].get_title()
        assert re.search(rf"20 {run.origin.word} faults", labels(compare([run, whole], ["x", "y"]).sections[0])[0])
