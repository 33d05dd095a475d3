"""``fat-fpga energy``: supply voltage against accuracy; its sub-commands."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fat_fpga.cli.numbers import count, decimal
from fat_fpga.cli.options import add_model, option
from fat_fpga.cli.parser import Commands, Parser, sub_command
from fat_fpga.cli.subject import add_module_arguments, load_model_alone
from fat_fpga.errors import EnergyError

if TYPE_CHECKING:
    from fat_fpga.energy import EnergyPoint, Reliability
    from fat_fpga.reports.curves import Curve

EXPONENT = decimal(0, 1e6, above=True)
NOMINAL = decimal(0, 1e12, above=True)

EPILOG = """\
examples:
  fat-fpga energy fit sram.csv
  fat-fpga energy accesses tfc_w2a2
  fat-fpga energy equivalent masked.run erased.run
  fat-fpga energy assign layers.run --most-loss 1
  fat-fpga energy assign b1.run b2.run b3.run b4.run --most-loss 0.5 --ratios 1,2,2,10
  fat-fpga energy curve net.run --accesses 266610 --table sram.csv
  fat-fpga energy curve net.run --accesses 266610 --reliable 94030=97.1,168090=97.6,266610=98.0

sram.csv has columns energy (share of a reliable memory's, or with --nominal E in any unit) and probability (of a wrong
bit). E0 is the number of words that an inference reads: weights and activations.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "energy",
        help="accuracy by energy of memories at a lower voltage",
        description="Fit the probability of a bit fault to the energy of a memory, and show what accuracy a sweep has\n"
        "at which energy, compared with smaller networks in reliable memories at equal accuracy.",
        epilog=EPILOG,
    )
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    own = _sub(inner, "fit", "a of p = exp(-a eta) from a table")
    own.add_argument("table", metavar="TABLE", help="CSV with columns energy and probability")
    _nominal(own)
    own.set_defaults(run=run_fit)
    own = _sub(inner, "accesses", "E0, the number of words that an inference reads")
    add_model(own)
    add_module_arguments(own)
    own.set_defaults(run=run_accesses)
    own = _sub(inner, "equivalent", "c of p_e = c p: the rate of erasures that stands for masked bits")
    own.add_argument("masked", metavar="MASKED", help="run file of a sweep with --errors masked")
    own.add_argument("erased", metavar="ERASED", help="run file of a sweep with --errors erase")
    own.set_defaults(run=run_equivalent)
    own = _sub(inner, "assign", "the rate of each block of a network that needs the least energy")
    own.add_argument(
        "runs", metavar="RUN", nargs="+",
        help="run files of fat-fpga sweep; each curve is of a block: --scope layer, or --layers A,B for several as one",
    )  # fmt: skip
    option(own, "--most-loss", ", all blocks together", required=True)
    own.add_argument(
        "--ratios", metavar="R,R", type=_ratios,
        help="rates in fixed ratios, one number for each block in the order of the curves, to compare with",
    )  # fmt: skip
    _memory(own)
    own.set_defaults(run=run_assign)
    own = _sub(inner, "curve", "accuracy by energy of sweeps")
    own.add_argument("runs", metavar="RUN", nargs="+", help="run files of fat-fpga sweep")
    own.add_argument("--accesses", metavar="N", type=count, required=True, help="E0, see fat-fpga energy accesses")
    _memory(own)
    own.add_argument(
        "--reliable", metavar="N=P[,N=P]", type=_reliable,
        help="networks with reliable memories: accesses and accuracy in percent, to compare at equal accuracy",
    )  # fmt: skip
    own.set_defaults(run=run_curve)


def _sub(inner: Commands, command: str, what: str) -> Parser:
    return sub_command(inner, f"energy {command}", what, f"Find {what}.", EPILOG)


def _memory(parser: Parser) -> None:
    parser.add_argument("--a", metavar="A", type=EXPONENT, help="of p = exp(-a eta) (default: 12.8)")
    parser.add_argument("--table", metavar="TABLE", help="fit a to this table")
    _nominal(parser)


def _nominal(parser: Parser) -> None:
    parser.add_argument(
        "--nominal", metavar="E", type=NOMINAL, default=1.0,
        help="energy of a reliable memory in the unit of the table (default: 1)",
    )  # fmt: skip


def _ratios(text: str) -> list[float]:
    return [decimal(0, 1e9, "a ratio", above=True)(part) for part in text.split(",")]


def _reliable(text: str) -> list[tuple[float, float]]:
    found = []
    for part in text.split(","):
        accesses, _, accuracy = part.partition("=")
        found.append((float(count(accesses)), decimal(0, 100, "an accuracy in percent")(accuracy)))
    return found


def run_fit(args: argparse.Namespace) -> int:
    from fat_fpga.energy import fit, read_table
    from fat_fpga.text import align

    energies, probabilities = read_table(args.table, args.nominal)
    found = fit(energies, probabilities)
    print(f"p = exp(-a eta), a = {found.a:.4g}, from {len(energies)} points")
    table = [["energy", "probability", "of the fit"]]
    table += [
        [f"{energy:.4g}", f"{probability:.3e}", f"{found.probability(energy):.3e}"]
        for energy, probability in sorted(zip(energies, probabilities, strict=True))
    ]
    print(align(table))
    return 0


def run_accesses(args: argparse.Namespace) -> int:
    from fat_fpga.energy import accesses

    found = accesses(load_model_alone(args))
    print(f"{found.weights:,} weights, {found.activations:,} activations: E0 = {found.energy:,} accesses an inference")
    return 0


def run_equivalent(args: argparse.Namespace) -> int:
    from fat_fpga.energy import equivalent
    from fat_fpga.text import align, percent

    found = equivalent(_only_curve(args.masked), _only_curve(args.erased))
    print(f"p_e = c p, c = {found.factor:.3g}")
    table = [["p", "masked [%]", "erased at c p [%]", "difference", "+-95 %"]]
    for rate, one, other, half in found.rows:
        table.append([f"{rate:.2e}", percent(one), percent(other), f"{one - other:+.2f}", f"{half:.2f}"])
    print(align(table))
    print("the means agree within their intervals" if found.agree else "some means differ by more than their intervals")
    return 0


def _only_curve(path: str) -> Curve:
    from fat_fpga.campaign import Run
    from fat_fpga.reports.curves import curves

    run = Run.open(path)
    found = curves(run) if run.has_patterns else []
    if len(found) != 1:
        raise EnergyError(f"{path} has {len(found)} curves of a sweep: expected one, as --scope network gives")
    return found[0]


def run_curve(args: argparse.Namespace) -> int:
    from fat_fpga.campaign import Run
    from fat_fpga.energy import EnergyPoint, best_reduction, energy_curve
    from fat_fpga.reports.curves import curves
    from fat_fpga.text import align, percent

    reliability = _reliability(args)
    reliable = [EnergyPoint(*pair) for pair in args.reliable or ()]
    for path in args.runs:
        run = Run.open(path)
        found = curves(run) if run.has_patterns else []
        if not found:
            raise EnergyError(f"{path} has no finished samples of a sweep: fat-fpga sweep makes them")
        for curve in found:
            means = [(point.rate, point.mean) for point in curve.points]
            points = energy_curve(args.accesses, curve.error_free, means, reliability)
            print(f"{path}: {curve.cells}, a = {reliability.a:.4g}")
            table = [["energy", "share", "rate", "accuracy [%]"]]
            for point in points:
                share = point.energy / args.accesses
                table.append(
                    [f"{point.energy:,.0f}", f"{share:.3f}", f"{point.probability:.2e}", percent(point.accuracy)]
                )
            print(align(table))
            print(_reduction(points, reliable, best_reduction(points, reliable) if reliable else None))
    return 0


def run_assign(args: argparse.Namespace) -> int:
    from fat_fpga.campaign import Run
    from fat_fpga.energy import assign, assign_ratios, blocks_of
    from fat_fpga.text import align, percent

    reliability = _reliability(args)
    blocks = blocks_of([Run.open(path) for path in args.runs])
    ways = {"least energy": assign(blocks, reliability, args.most_loss)}
    if args.ratios is not None:
        ways["fixed ratios"] = assign_ratios(blocks, args.ratios, reliability, args.most_loss)
    whole = sum(block.accesses for block in blocks)
    for name, found in ways.items():
        share = f"{found.energy:,.0f} of {whole:,} accesses ({found.energy / whole:.3f})"
        print(f"{name}: {share}, a = {reliability.a:.4g}, losses add up to {percent(found.loss)} points")
        table = [["block", "accesses", "rate", "share of energy"]]
        for block in blocks:
            rate = found.rates[block.name]
            table.append([block.name, f"{block.accesses:,}", f"{rate:.2e}", f"{reliability.energy(rate):.3f}"])
        print(align(table))
    print("that losses of blocks add up is an assumption: measure the result")
    return 0


def _reduction(points: list[EnergyPoint], reliable: list[EnergyPoint], best: tuple[float, EnergyPoint] | None) -> str:
    if not reliable:
        return "no comparison at equal accuracy: give networks with reliable memories by --reliable"
    if best is None:
        lowest = min(point.accuracy for point in reliable)
        highest = max(point.accuracy for point in reliable)
        return f"no point is as accurate as a reliable network ({lowest:.2f} to {highest:.2f} %): nothing to compare"
    factor, point = best
    return (
        f"at equal accuracy: {factor:.2f} times less energy than a reliable network, at {point.accuracy:.2f} % and "
        f"rate {point.probability:.2e}"
    )


def _reliability(args: argparse.Namespace) -> Reliability:
    from fat_fpga.energy import Reliability, fit, read_table

    if args.a is not None and args.table is not None:
        raise EnergyError("--a and --table both say a: give one of them")
    if args.table is not None:
        return fit(*read_table(args.table, args.nominal))
    return Reliability() if args.a is None else Reliability(args.a)
