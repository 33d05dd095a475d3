"""The named steps of a build, in order, and what each of them depends on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fat_fpga.boards import Board
from fat_fpga.errors import FinnError
from fat_fpga.finn import setup, steps
from fat_fpga.finn.describe import write_description
from fat_fpga.finn.estimates import THRESHOLDS, add_injectors, part_of
from fat_fpga.finn.folding import Folding
from fat_fpga.finn.graph import check_mapped
from fat_fpga.finn.inject import add_checksums
from fat_fpga.finn.names import LAST, NAMES, VENDOR
from fat_fpga.finn.parallel import apply_folding
from fat_fpga.finn.rtl_only import to_rtl
from fat_fpga.finn.steps import Model
from fat_fpga.finn.verilog import write_accelerator
from fat_fpga.network import Network

BuildStep = Callable[[Model, Any], Model]
"""FINN's form of a step: model and DataflowBuildConfig to model."""
ACCELERATOR = "rtl"
"""Folder of a build that is in RTL only."""


@dataclass(frozen=True, eq=False)
class Step:
    """One of `NAMES`.

    Attributes:
        run: does it.
        inputs: what decides its result, beside the model in front.
    """

    name: str
    run: BuildStep
    inputs: tuple[str, ...] = ()


def check_tools(until: str, rtl_only: bool = False) -> None:
    """FinnError for an unknown step, or one that needs a tool which is not here: before anything is run.

    Args:
        rtl_only: no layer is in HLS.
    """
    if until not in NAMES:
        raise FinnError(f"unknown step '{until}': known are {', '.join(NAMES)}")
    for name in NAMES[: NAMES.index(until) + 1]:
        tool = VENDOR.get(name, ("", ""))[1]
        missing = (tool == "Vivado" and setup.vivado() is None) or (
            tool == "Vitis HLS" and setup.hls() is None and not rtl_only
        )
        if missing:
            raise FinnError(
                f"step {name} needs {tool}, and there is none here: put its settings64.sh into the "
                f"environment, take make docker-build with XILINX mounted, or stop with --until code"
            )


def steps_until(
    until: str,
    network: Network,
    board: Board,
    folding: Folding,
    inject: str | None,
    checksums: bool = False,
    rtl_only: bool = False,
) -> list[Step]:
    """The steps from the first to ``until``."""
    part = part_of(board)
    standalone = inject == THRESHOLDS

    def to_hardware(model: Model, _: Any) -> Model:
        model = steps.to_hardware(model, standalone)
        check_mapped(model, network)
        return model

    def partition(model: Model, config: Any) -> Model:
        from finn.builder.build_dataflow_steps import step_create_dataflow_partition

        return step_create_dataflow_partition(model, config)

    def injectors(model: Model, _: Any) -> Model:
        add_injectors(model, network, inject)
        return model

    def fold(model: Model, _: Any) -> Model:
        apply_folding(model, network, folding)
        return model

    def minimise(model: Model, _: Any) -> Model:
        model = steps.minimise(model)
        if rtl_only:
            to_rtl(model, network)
        return model

    def hooks(model: Model, _: Any) -> Model:
        if checksums:
            add_checksums(model, network)
        return model

    def estimates(model: Model, config: Any) -> Model:
        from finn.builder.build_dataflow_steps import step_generate_estimate_reports

        return step_generate_estimate_reports(model, config)

    def code(model: Model, config: Any) -> Model:
        from finn.builder.build_dataflow_steps import step_hw_codegen

        model = step_hw_codegen(model, config)
        if rtl_only:
            write_accelerator(model, network, Path(config.output_dir) / ACCELERATOR)
        return model

    def describe(model: Model, config: Any) -> Model:
        write_description(model, network, config.get_deploy_directory())
        return model

    own: dict[str, Step] = {
        step.name: step
        for step in (
            Step("tidy", lambda model, _: steps.tidy(model), (network.fingerprint,)),
            Step("streamline", lambda model, _: steps.streamline(model)),
            Step("hardening", lambda model, _: steps.hardening(model)),
            Step("lower", lambda model, _: steps.lower(model)),
            Step("to_hardware", to_hardware, (str(standalone),)),
            Step("partition", partition),
            Step("specialise", lambda model, _: steps.specialise(model, part), (part,)),
            Step("injectors", injectors, (str(inject),)),
            Step("folding", fold, (repr(sorted(folding.folds.items())),)),
            Step("minimise", minimise, (str(rtl_only),)),
            Step("checksums", hooks, (str(checksums),)),
            Step("estimates", estimates),
            Step("code", code),
            Step(LAST, describe, (network.name,)),
        )
    }
    return [own[name] if name in own else _vendor(name) for name in NAMES[: NAMES.index(until) + 1]]


def _vendor(name: str) -> Step:
    def run(model: Model, config: Any) -> Model:
        from finn.builder import build_dataflow_steps

        return getattr(build_dataflow_steps, VENDOR[name][0])(model, config)

    return Step(name, run)
