"""p = exp(-a eta): the fit, tables, and what is none."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.cli import main
from fat_fpga.energy import Reliability, fit, read_table
from fat_fpga.errors import EnergyError


@given(st.floats(1, 30), st.lists(st.floats(0.05, 1), min_size=1, max_size=6, unique=True))
def test_an_exact_table_gives_its_a(a: float, energies: list[float]) -> None:
    energies = sorted({round(energy, 2) for energy in energies})
    found = fit(energies, [math.exp(-a * energy) for energy in energies])
    assert found.a == pytest.approx(a, rel=1e-6)


def test_the_fit_has_the_least_relative_error_of_all() -> None:
    energies, probabilities = [0.2, 0.5, 1.0], [0.05, 0.002, 3e-6]
    found = fit(energies, probabilities)

    def error(a: float) -> float:
        return sum((math.exp(-a * e) / p - 1) ** 2 for e, p in zip(energies, probabilities, strict=True))

    assert all(error(found.a) <= error(number / 1000) for number in range(5000, 25000))


@given(st.floats(0.1, 50), st.floats(0, 1))
def test_energy_and_probability_are_inverse(a: float, energy: float) -> None:
    one = Reliability(a)
    assert one.energy(one.probability(energy)) == pytest.approx(energy, abs=1e-9)
    assert one.energy(0) == 1


def test_the_papers_point() -> None:
    """Section V: p = 0.001 and p = 0.01 at a = 12.8 are shares of 0.540 and 0.360."""
    assert Reliability().energy(0.001) == pytest.approx(0.53967, abs=1e-4)
    assert Reliability().energy(0.01) == pytest.approx(0.35978, abs=1e-4)


@pytest.mark.parametrize(
    ("energies", "probabilities", "said"),
    [
        ([0.5, 1.0], [1e-3, 1e-3], "must fall"),
        ([0.5, 1.0], [1e-3, 2e-3], "must fall"),
        ([0.5, 0.5], [1e-3, 1e-4], "must fall"),
        ([0.5, 1.1], [1e-3, 1e-4], "at most 1"),
        ([0.5, 1.0], [1e-3, 0.0], "above 0"),
        ([], [], "a probability for each"),
    ],
)
def test_tables_that_are_none(energies: list[float], probabilities: list[float], said: str) -> None:
    with pytest.raises(EnergyError, match=said):
        fit(energies, probabilities)


def test_a_table_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sram.csv"
    rows = [(1.1, 2 * energy, math.exp(-10 * energy)) for energy in (0.3, 0.6, 1.0)]
    path.write_text("vdd,energy,probability\n" + "".join(f"{v},{e},{p}\n" for v, e, p in rows))
    assert read_table(path, 2.0)[0] == pytest.approx([0.3, 0.6, 1.0])
    assert main(["energy", "fit", str(path), "--nominal", "2"]) == 0
    assert "a = 10" in capsys.readouterr().out
    for text, said in (("energy,p\n1,2\n", "columns"), ("energy,probability\n1,x\n", "line 2"), ("", "columns")):
        path.write_text(text)
        assert main(["energy", "fit", str(path)]) == 2
        assert said in capsys.readouterr().err
    assert main(["energy", "fit", str(tmp_path / "none.csv")]) == 2
