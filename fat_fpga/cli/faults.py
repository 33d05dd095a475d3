"""``fat-fpga faults``: how many faults of each kind a network can have, and which."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fat_fpga.cli.fault_arguments import (
    add_fault_arguments,
    check_effects,
    check_sampling,
    effects_of,
    folding_of,
    plan_of,
    selection_of,
    space_of,
)
from fat_fpga.cli.options import add_model, option
from fat_fpga.cli.parser import Commands
from fat_fpga.cli.renamed import Renamed
from fat_fpga.cli.subject import add_module_arguments, load_model_alone

if TYPE_CHECKING:
    from fat_fpga.faults import AnySubject, FaultSpace

EPILOG = """\
examples:
  fat-fpga faults cnv.onnx --folding bnn-pynq
  fat-fpga faults cnv.onnx --faults channel,pixel --layers conv1,conv1.pool --cause
  fat-fpga faults cnv.onnx --faults weight --sample 100 --list > faults.txt
  fat-fpga faults cnv.onnx --faults weight --plan-sample --margin 1% --confidence 99 --strata layer,bit
  fat-fpga faults cnv.onnx --faults weight,threshold --protect secded

The table counts every place. --list and --sample take what fat-fpga campaign takes with the same options: channel
faults of the units, if nothing else is said. A list goes into fat-fpga campaign --fault-list FILE.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "faults",
        help="the faults that a model can have: how many, where, which",
        description="The size of the fault space of a model, for each kind of fault and each place.",
        epilog=EPILOG,
    )
    add_model(parser)
    add_module_arguments(parser)
    kinds = add_fault_arguments(parser)
    parser.add_argument("--kind", action=Renamed, now=kinds)
    option(parser, "--images", ": which transients fall on")
    parser.add_argument(
        "--plan-sample", action="store_true", help="print how many faults a sample of --margin needs, by each method"
    )
    option(parser, "--protect", "; prints what that costs, of all kinds that are stored or those of --faults")
    parser.add_argument("--list", action="store_true", help="print the faults, one a line")
    parser.add_argument("--cause", action="store_true", help="say what breaks in the hardware")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.campaign.list_header import head_lines
    from fat_fpga.faults import fault_model
    from fat_fpga.faults.registry import default_kind, kinds_of

    check_sampling(args)
    for kind in args.kinds or ():
        fault_model(kind)
    network = load_model_alone(args)
    if args.plan_sample:
        print(_plan_text(args, network))
        return 0
    if args.protect is not None:
        print(_protection_text(args, network))
        return 0
    if not args.list and args.sample is None and args.margin is None:
        print(_space_text(args, network, list(dict.fromkeys(args.kinds or kinds_of(network)))))
        return 0
    selection = selection_of(args, space_of(args, network, args.kinds or [default_kind(network)], args.images), network)
    if args.list:
        print("\n".join(head_lines(selection, network)))
        for fault in selection.faults:
            cause = " & ".join(fault_model(part.kind).cause for part in fault.faults)
            print(f"{fault}  # {cause}" if args.cause else fault)
        return 0
    count = Counter((fault.layer, fault.kind) for fault in selection.faults)
    kinds = list(dict.fromkeys(kind for _, kind in count))
    lines = [f"{network.name}: {selection.origin.describe(len(selection.faults))}", _table(network, kinds, count)]
    print("\n".join([*lines, *_causes(args, kinds)]))
    return 0


def _plan_text(args: argparse.Namespace, network: AnySubject) -> str:
    """The plan of a sample, and what each of the published methods takes."""
    from fat_fpga.errors import CampaignError
    from fat_fpga.faults.registry import default_kind
    from fat_fpga.reports.sample_table import methods_table, plan_text

    plan = plan_of(args)
    if plan is None:
        raise CampaignError("--plan-sample plans a sample for a margin: give --margin, too, as --margin 1%")
    space = space_of(args, network, args.kinds or [default_kind(network)], args.images)
    return f"{plan_text(plan, space, network)}\n\n{methods_table(plan, space, network)}"


def _protection_text(args: argparse.Namespace, network: AnySubject) -> str:
    """What a code costs; CampaignError beside what is about single faults, or for a module."""
    from fat_fpga.errors import CampaignError
    from fat_fpga.faults import MODELS
    from fat_fpga.faults.protection import Protection
    from fat_fpga.hardening.costs.protection import protection_text
    from fat_fpga.network import Network

    if not isinstance(network, Network):
        raise CampaignError(f"--protect prices memories of hardware, and {network.name} is a module")
    for given in ("list", "sample", "margin", "layers", "effects", "values"):
        if getattr(args, given) not in (None, False):
            raise CampaignError(f"--protect prints the costs of a code: leave --{given} out")
    kinds = list(dict.fromkeys(args.kinds or [kind for kind in MODELS if MODELS[kind].traits.stored]))
    return protection_text(network, kinds, Protection(*args.protect))


def _space_text(args: argparse.Namespace, network: AnySubject, kinds: Sequence[str]) -> str:
    """How many faults there are, as a table, with what it needs to be complete."""
    from fat_fpga.campaign import Selection
    from fat_fpga.faults import FaultSpace, fault_model

    space, notes = FaultSpace(()), []
    for kind in kinds:
        if fault_model(kind).traits.needs_folding and not args.folding:
            notes.append(f"{kind}: needs the number of PEs of each unit, --folding")
            continue
        if fault_model(kind).traits.needs_frames and args.images is None:
            notes.append(f"{kind}: for one image; a campaign has them for each of its images, --images")
        space += _space_of_kind(args, network, kind)
    check_effects(args, space)
    count = Counter({(block.place, block.kind): len(block) for block in space.blocks})
    chosen = args.effects or args.values
    effects = Selection.of(space).origin.effects if chosen else _every_effect(network)
    lines = [f"{network.name}: {len(space):,} faults", _table(network, kinds, count), "", f"effects: {effects}"]
    return "\n".join([*lines, *notes, *_causes(args, kinds)])


def _every_effect(network: AnySubject) -> str:
    from fat_fpga.faults import Subject

    return "the flip of every bit" if isinstance(network, Subject) else "every activation level; the flip of every bit"


def _space_of_kind(args: argparse.Namespace, network: AnySubject, kind: str) -> FaultSpace:
    """All faults of a kind at all places, or at those asked for that have some; ModelError for an unknown place."""
    from fat_fpga.faults import FaultSpace, fault_model, fault_space, places
    from fat_fpga.faults.model import Setting
    from fat_fpga.faults.pattern import JOIN
    from fat_fpga.faults.place import EVERYWHERE
    from fat_fpga.faults.space import check_in_hardware

    setting, known = Setting(folding_of(args, network), args.images or 1), places(network)
    layers = []
    for name in args.layers or known:
        if name in known:
            possible = fault_model(kind).block(network, known[name], setting) is not None
        else:
            # of other names fault_space says that they are unknown
            shared = name == EVERYWHERE or JOIN in name
            possible = not shared or fault_model(kind).traits.everywhere
        if possible:
            layers.append(name)
    if not layers:
        if args.kinds:
            check_in_hardware(network, kind)
        return FaultSpace(())
    return fault_space(network, kind, layers, effects_of(args, kind), setting.pes, setting.frames)


def _table(network: AnySubject, kinds: Sequence[str], count: Counter[tuple[str, str]]) -> str:
    """Faults by place and kind, with totals; places without any are left out."""
    from fat_fpga.faults import places
    from fat_fpga.text import align

    known = places(network)
    rows = [["place", *kinds]]
    shared = [name for name, _ in count if name not in known]
    for name in (*dict.fromkeys(shared), *known):
        if any(count[name, kind] for kind in kinds):
            rows.append([name, *(f"{count[name, kind]:,}" if count[name, kind] else "" for kind in kinds)])
    units = [name for name in known if known[name].unit is not None]
    sums = {"by default": [name for name in known if known[name].enumerated]} if not units else {"all units": units}
    sums |= {"all places": [*dict.fromkeys(shared), *known]}
    for title, names in sums.items():
        totals = [sum(count[name, kind] for name in names) for kind in kinds]
        rows.append([title, *(f"{total:,}" if total else "" for total in totals)])
    return align(rows)


def _causes(args: argparse.Namespace, kinds: Sequence[str]) -> list[str]:
    """What breaks in the hardware, a line for each kind, if asked for."""
    from fat_fpga.faults import fault_model

    return [f"{kind}: {fault_model(kind).cause}" for kind in kinds] if args.cause else []
