"""How a fault list came about is kept, and shares of a sample get their interval."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy.stats import binomtest

from fat_fpga.campaign import Run, Selection, changing, harmful, read_fault_list, run_campaign
from fat_fpga.campaign.shares import wilson
from fat_fpga.errors import CampaignError, FaultError
from fat_fpga.faults import Effect, fault_space
from fat_fpga.faults.block import BIT_EFFECTS

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
    assert Selection.of(list(both)[:1]).origin.describe(1) == "a list of 1 pe fault in conv0"


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
    assert share.interval == wilson(share.count, 40)
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
