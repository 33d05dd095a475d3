"""Sweeps of protected memories: what is counted of their words, kept, reported and compared."""

from __future__ import annotations

import csv
import json
from math import exp
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run
from fat_fpga.campaign.rates import Scrubbing
from fat_fpga.campaign.rounds import run_in_rounds
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.campaign.sweep_rounds import UntilInterval
from fat_fpga.cli.main import main
from fat_fpga.engines import get
from fat_fpga.engines.counts import ERRORS, WORD_NAMES
from fat_fpga.errors import CampaignError, FaultError
from fat_fpga.faults import expand
from fat_fpga.faults.expand import count_words
from fat_fpga.network.network_file import write_network
from fat_fpga.reports import compare_sweeps, report_json, report_text, sweep_comparison_text, write_csv

from .test_sweep import SWEEP
from .tiny import tiny_data, tiny_network

NETWORK, DATA = tiny_network(), tiny_data(20)
RATES = (0.0, 0.01, 0.1)
CODED = Sweep(("weight", "activation"), RATES, 6, "structure", protection="secded[8]")


def run_sweep(sweep: Sweep, path: Path, **options: object) -> Run:
    rounds = UntilInterval(sweep, NETWORK)
    return run_in_rounds(NETWORK, DATA, rounds, path, "native", counting=(ERRORS,), **options)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_sweep(CODED, tmp_path_factory.mktemp("coded") / "a.run")


def test_words_are_counted_and_kept(done: Run) -> None:
    reference = get("reference").open(NETWORK)
    kinds = {True: 0, False: 0}
    for number, result in enumerate(done.results):
        pattern = result.pattern
        kinds[pattern.protection is not None] += 1
        assert tuple(int(done.counts[name][number]) for name in WORD_NAMES) == count_words(NETWORK, pattern)
        found = reference.run(DATA.images, DATA.labels, [expand(NETWORK, pattern, 0, 20)])
        assert (result.correct, result.changed) == (found.correct[0], found.changed[0])
    assert kinds == {True: 18, False: 18}, "activations have no memory that could be protected"
    assert done.counts["corrected words"].sum() > 0
    assert Run.open(str(done.path)).counts.keys() >= set(WORD_NAMES)


def test_workers_count_the_same(done: Run, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    other = run_sweep(CODED, tmp_path / "a.run", dask="local:2", chunk=16)
    for name in WORD_NAMES:
        np.testing.assert_array_equal(other.counts[name], done.counts[name])


def test_reports(done: Run, tmp_path: Path) -> None:
    text = report_text(done)
    for words in (
        "memories protected by secded[8]",
        "*/weight[*].bit[*] ^ 1 with secded[8]",
        "corrected  detected  missed  miscorrected",
    ):
        assert words in text
    activation, weight = report_json(done)["curves"]
    assert (activation["protection"], activation["points"][-1]["words"]) == (None, {})
    assert weight["protection"] == "secded[8]"
    own = [n for n, r in enumerate(done.results) if r.pattern.protection and r.pattern.rate == 0.1]
    point = weight["points"][-1]["words"]["corrected words"]
    assert point["total"] == done.counts["corrected words"][own].sum()
    assert point["mean"] == pytest.approx(point["total"] / 6)
    write_csv(done, tmp_path / "a.csv")
    rows = list(csv.DictReader((tmp_path / "a.csv").open()))
    assert int(rows[own[0]]["missed_words"]) == done.counts["missed words"][own[0]]


def test_a_protected_sweep_is_compared_with_one_that_is_not(done: Run, tmp_path: Path) -> None:
    plain = run_sweep(Sweep(("weight",), RATES, 6), tmp_path / "b.run")
    text = sweep_comparison_text(compare_sweeps([plain, done], ["plain", "coded"]))
    table = next(part for part in text.split("\n\n") if part.startswith("*/weight"))
    assert [line.split()[:2] for line in table.split("\n")[2:4]] == [["plain", "none"], ["coded", "secded[8]"]]
    # the same cells of data are hit, so each sample can be set beside its own
    for one, other in zip(
        (r.pattern for r in plain.results), (r.pattern for r in done.results if r.pattern.protection), strict=True
    ):
        assert (one.errors, one.rate, one.sample) == (other.errors, other.rate, other.sample)


def test_what_older_files_say_is_not_changed() -> None:
    assert json.loads(SWEEP.entry).keys() == {
        "kinds", "rates", "samples", "scope", "errors", "layers", "until", "seed",
    }  # fmt: skip
    scrubbed = Scrubbing(1e-3, (1.0, 24.0))
    full = Sweep(("weight",), scrubbed.rates, burst=2, protection="parity[8]", scrubbing=scrubbed)
    for sweep in (SWEEP, CODED, full):
        assert Sweep.read(sweep.entry) == sweep


def test_scrubbing() -> None:
    found = Scrubbing(0.01, (1.0, 10.0, 1e6))
    for hours, rate in zip(found.intervals, found.rates, strict=True):
        # an odd number of upsets of a Poisson process
        mean = 0.01 * hours
        odd, term = 0.0, exp(-mean)
        for count in range(1, 400):
            term *= mean / count
            odd += term * (count % 2)
        assert rate == pytest.approx(odd if hours < 1e5 else 0.5)
    assert Scrubbing(1e-12, (1.0,)).rates[0] == pytest.approx(1e-12)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"protection": "secded[8]", "errors": "erase"}, "protects against errors flip"),
        ({"protection": "secded[8]", "kinds": ("activation",)}, "of words in memories, and activation has none"),
        ({"burst": 2, "kinds": ("accumulator",)}, "the burst is of words in memories"),
        ({"burst": 2, "errors": "stuck0"}, "a burst is of errors 'flip'"),
        ({"scrubbing": Scrubbing(1.0, (1.0,))}, "at the end of its intervals"),
    ],
)
def test_mistakes(wrong: dict[str, object], words: str) -> None:
    with pytest.raises((CampaignError, FaultError), match=words):
        Sweep(**({"kinds": ("weight",), "rates": (0.1,)} | wrong)).cells(NETWORK)  # type: ignore[arg-type]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_network(NETWORK, tmp_path / "tiny.npz")
    np.savez(tmp_path / "data.npz", images=DATA.images, labels=DATA.labels)
    begin = ["sweep", str(tmp_path / "tiny.npz"), "--data", f"npz:{tmp_path / 'data.npz'}", "--samples", "2", "-o"]
    protect = ["--protect", "secded:8", "--interleave", "2", "--on-detect", "reload", "--burst", "2"]
    scrub = ["--scrub", "1,100", "--upset-rate", "1e12FIT/Mb"]
    assert main([*begin, str(tmp_path / "a.run"), *protect, *scrub]) == 0
    out = capsys.readouterr().out
    assert "burst[2] with secded[8] interleave[2] detected[reload]" in out
    assert (
        "0.001 upsets of each bit in an hour; rate at the end of each interval: 1 h: 9.99e-04, 100 h: 9.06e-02" in out
    )
    for more, words in (
        ([], "a sweep takes --rates, or --scrub and --upset-rate"),
        (["--rates", "0.1", *scrub], "leave --rates out"),
        (["--scrub", "1"], "belong together"),
        (["--rates", "0.1", "--on-detect", "keep"], "--on-detect is about the words of a code"),
        (["--rates", "0.1", "--interleave", "2"], "--interleave is about the words of a code"),
        (["--rates", "0.1", "--protect", "secded", "--on-detect", "erase"], "its words cannot be 0"),
    ):
        assert main([*begin, str(tmp_path / "b.run"), *more]) == 2
        assert words in capsys.readouterr().err
    for more, words in (
        (["--protect", "crc"], "unknown code 'crc': known are parity, secded"),
        (["--protect", "secded:0"], "1 to 1,024 data bits"),
        (["--protect", "secded:"], "data bits of a word"),
        (["--scrub", "2,1"], "ascending"),
        (["--scrub", "1,2e9"], "hours above 0, up to 1,000,000,000"),
        (["--upset-rate", "0"], "upsets above 0"),
        (["--burst", "0"], "1 to 1,024"),
    ):
        with pytest.raises(SystemExit):
            main([*begin, str(tmp_path / "b.run"), *more])
        assert words in capsys.readouterr().err
    assert not (tmp_path / "b.run").exists()
