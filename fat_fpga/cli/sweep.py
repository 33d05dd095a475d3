"""``fat-fpga sweep``: errors at several rates, into a run file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fat_fpga.cli.counting import add_counting, counting_of
from fat_fpga.cli.numbers import beside, burst, intervals, points, upsets
from fat_fpga.cli.options import add_model, option, output
from fat_fpga.cli.parser import Commands
from fat_fpga.cli.protection import protection_of, scrubbing_of
from fat_fpga.cli.stopped import stopped
from fat_fpga.cli.subject import add_module_arguments, engine_name, load_subject

if TYPE_CHECKING:
    from fat_fpga.campaign.sweep import Sweep

EPILOG = """\
examples:
  fat-fpga sweep cnv_w1a1 --data cifar10:data --faults weight --rates 1e-7:1e-2 -o weights.run
  fat-fpga sweep cnv_w1a1 --data cifar10:data --faults weight --rates 1e-6:1e-2:2 --scope layer -o layers.run
  fat-fpga sweep cnv_w1a1 --data cifar10:data --faults weight,activation --rates 1e-6:1e-2 --scope structure -o both.run
  fat-fpga sweep tfc_w2a2 --data demo:mnist --faults weight --errors masked --rates 1e-4,1e-3,1e-2 -o masked.run
  fat-fpga sweep tfc_w2a2 --data demo:mnist --faults weight --rates 1e-5:1e-1 --until-interval 0.2 -o exact.run
  fat-fpga sweep tfc_w2a2 --data demo:mnist --faults weight --protect secded --rates 1e-5:1e-1 -o ecc.run
  fat-fpga sweep tfc_w2a2 --data demo:mnist --protect secded --upset-rate 1e-6 --scrub 1,24,720 -o scrub.run
  fat-fpga report weights.run --figures report

Every cell (a bit, or with erase and uniform a word) fails with the same probability, on its own. Errors in weights,
thresholds and accumulators are in every image, those of activations are drawn anew for each. A curve for each scope.
Stop it with Ctrl-C, or lose power: the same command continues where it was.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "sweep",
        help="errors at a rate: accuracy against bit error rate",
        description="Let every bit of the memories fail with a probability, at several rates, many samples of each,\n"
        "and count on the whole test set how many images are still classified correctly.",
        epilog=EPILOG,
    )
    add_model(parser)
    add_module_arguments(parser)
    option(parser, "--data", required=True)
    output(parser, "RUN", "the run file, made or continued", required=True)
    group = parser.add_argument_group("which errors")
    option(group, "--faults", " (default: weight)")
    option(group, "--rates")
    option(group, "--samples", " (default: 150)", default=150)
    group.add_argument(
        "--scope", choices=("network", "layer", "structure"), default="network",
        help="a curve for all kinds at once (default), for each layer and kind, or for each kind",
    )  # fmt: skip
    group.add_argument(
        "--errors", choices=("flip", "stuck0", "stuck1", "erase", "uniform", "masked"), default="flip",
        help="what an error does: flip a bit (default), hold it, erase a word to 0, take another word, or be masked",
    )  # fmt: skip
    group.add_argument(
        "--burst",
        metavar="N",
        type=burst,
        default=1,
        help="an error flips N neighbouring cells of a memory (default: 1)",
    )
    option(group, "--layers")
    option(group, "--thresholds")
    option(group, "--seed")
    group.add_argument(
        "--until-interval", metavar="W", type=points,
        help="stop a rate when its mean accuracy is known to +-W points (95 %%); --samples is then the most",
    )  # fmt: skip
    group = parser.add_argument_group("protected memories")
    option(group, "--protect")
    group.add_argument(
        "--interleave", metavar="N", type=beside, help="so many words of the code lie bit by bit beside each other"
    )
    group.add_argument(
        "--on-detect", choices=("keep", "erase", "reload"),
        help="what is done about a word that is detected and not corrected: keep it (default), make its values 0, or "
        "write it anew before it is used",
    )  # fmt: skip
    group.add_argument(
        "--scrub", metavar="HOURS[,HOURS]", type=intervals,
        help="instead of --rates: errors add up for so long, then the memory is written anew; with --upset-rate",
    )  # fmt: skip
    group.add_argument(
        "--upset-rate", metavar="R", type=upsets,
        help="upsets of a bit in an hour, as 1e-9, or with FIT/Mb after it upsets of 10^6 bits in 10^9 hours",
    )  # fmt: skip
    option(parser, "--images")
    option(parser, "--engine", " (default: native; of a module module)")
    option(parser, "--threads")
    option(parser, "--chunk")
    option(parser, "--dask")
    option(parser, "--dask-wait")
    option(parser, "--expect-accuracy")
    add_counting(parser)
    option(parser, "--quiet", ", no table")
    parser.set_defaults(run=run)


def sweep_of(args: argparse.Namespace) -> Sweep:
    """What is swept; CampaignError or FaultError where the options do not fit together."""
    from fat_fpga.campaign.sweep import Sweep
    from fat_fpga.faults.registry import DEFAULT_SWEPT

    scrubbing = scrubbing_of(args)
    return Sweep(
        tuple(args.kinds or (DEFAULT_SWEPT,)),
        args.rates if scrubbing is None else scrubbing.rates,
        args.samples,
        args.scope,
        args.errors,
        tuple(args.layers) if args.layers else None,
        args.until_interval,
        args.seed or 0,
        args.burst,
        protection_of(args),
        scrubbing,
    )


def run(args: argparse.Namespace) -> int:
    from fat_fpga.campaign.rounds import run_in_rounds
    from fat_fpga.campaign.sweep_rounds import UntilInterval
    from fat_fpga.cli.model import get_engine
    from fat_fpga.engines.counts import ERRORS, HITS
    from fat_fpga.files import check_writable
    from fat_fpga.reports import report_text

    check_writable(args.output, args.model, *filter(None, [args.weights_file, args.cost_matrix]))
    counting_of(args)  # a mistake in it is told before anything is loaded
    sweep = sweep_of(args)
    engine = get_engine(args, engine_name(args))
    network, data = load_subject(args, lambda found: sweep.cells(found.fault_free), engine)
    try:
        finished = run_in_rounds(
            network,
            data,
            UntilInterval(sweep, network.fault_free),
            args.output,
            engine,
            chunk=args.chunk,
            progress=not args.quiet,
            expect_accuracy=args.expect_accuracy,
            experiment=getattr(args, "experiment_text", None),
            dask=args.dask,
            dask_wait=args.dask_wait,
            counting=(*counting_of(args, data.classes), ERRORS, HITS),
        )
    except KeyboardInterrupt:
        return stopped(args.output)
    if not args.quiet:
        print(report_text(finished))
        print(f"\nfigures and tables: fat-fpga report {args.output} --figures DIR --csv FILE --json FILE")
    return 0
