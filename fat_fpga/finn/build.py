"""A dataflow build in a folder, on FINN's own builder: step by step, resumed behind the last finished one."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from fat_fpga import __version__
from fat_fpga.boards import Board
from fat_fpga.errors import FatFpgaError, FinnError
from fat_fpga.files import make_folder, replacing
from fat_fpga.finn.build_steps import ACCELERATOR, Step, check_tools, steps_until
from fat_fpga.finn.estimates import INJECTIONS, Estimates, check_fits, estimate
from fat_fpga.finn.folding import Folding, check_folding
from fat_fpga.finn.graph import check_mappable
from fat_fpga.finn.names import NAMES
from fat_fpga.finn.setup import generating_in
from fat_fpga.finn.steps import Model
from fat_fpga.finn.thresholds_built import threshold_logics
from fat_fpga.json_file import read_object
from fat_fpga.network import Network, write_qonnx
from fat_fpga.network.as_built import BUILD as THRESHOLDS
from fat_fpga.network.as_built import write_logics

Told = Callable[[str, int, int, float | None], object]
"""Called with a step's name, its number from 1, how many there are, and its seconds; None as it starts."""

STATE, MODEL, GENERATED = "build.json", "model.onnx", "generated"


class Build:
    """A build in a folder.

    The folder holds ``model.onnx``, the network in FINN form; ``intermediate_models/STEP.onnx`` behind every step;
    ``build.json``, what is finished, and in what time; ``thresholds.json``, how each layer finds levels;
    ``generated/``, FINN's code of the layers; ``folding.json``;
    ``report/`` with FINN's and our estimates; and what the vendor steps leave: ``deploy/`` is copied to the board, and
    opened by `fat_fpga.board.open_board`.

    Args:
        clock: MHz.
        inject: one of `INJECTIONS`, or None.
        checksums: a checksum hook behind every stream; see `fat_fpga.checksums`.
        rtl_only: without Vitis HLS, see `fat_fpga.finn.rtl_only`. The step ``code`` also writes the whole accelerator
            into ``rtl``, see `fat_fpga.finn.verilog`.

    Raises:
        FinnError: FINN is not installed, cannot build the network, or the folding does not fit it.
    """

    def __init__(
        self,
        network: Network,
        folder: str | PathLike[str],
        board: Board,
        folding: Folding,
        *,
        clock: float = 100.0,
        inject: str | None = None,
        checksums: bool = False,
        rtl_only: bool = False,
    ) -> None:
        if inject is not None and inject not in INJECTIONS:
            raise FinnError(f"unknown way to inject '{inject}': known are {', '.join(INJECTIONS)}")
        check_mappable(network, inject == INJECTIONS[0])
        check_folding(folding, network)
        self.network, self.board, self.folding, self.clock, self.inject = network, board, folding, clock, inject
        self.folder, self.checksums, self.rtl_only = Path(folder), checksums, rtl_only

    def estimate(self) -> Estimates:
        """What will be built, without building it."""
        design = self.network, self.folding, self.board, self.clock, self.inject, self.checksums
        return estimate(*design, self.rtl_only)

    def run(self, until: str = "estimates", told: Told | None = None) -> dict[str, float]:
        """Run the steps that are not finished yet; seconds of every step up to ``until``, by name.

        Raises:
            FinnError: a tool is missing or the part is too small, before anything is run; a step failed, with its name.
            OSError: the folder cannot be written.
        """
        check_tools(until, self.rtl_only)
        if NAMES.index(until) >= NAMES.index("folding"):
            check_fits(self.estimate(), self.board)
        make_folder(self.folder)
        design = self.network, self.board, self.folding, self.inject, self.checksums, self.rtl_only
        steps = steps_until(until, *design)
        keys = self._keys(steps)
        state = self._finished(steps, keys)
        first = len(state)
        if first == 0:
            write_qonnx(self.network.canonical, self.folder / MODEL)
        self.folding.write(self.folder / "folding.json")
        if first < len(steps):
            runner = _Runner(self.folder / STATE, steps, keys, state, told or _nobody)
            with generating_in(self.folder / GENERATED):
                runner.run(self._config(steps, None if first == 0 else steps[first].name), self.folder / MODEL)
            state = runner.state
        self._write_logics("specialise" in state)
        return {step.name: state[step.name]["seconds"] for step in steps}

    def _write_logics(self, chosen: bool) -> None:
        """What FINN chose for the thresholds of each layer, once it has ``chosen``."""
        from qonnx.core.modelwrapper import ModelWrapper

        if not chosen:
            (self.folder / THRESHOLDS).unlink(missing_ok=True)
            return
        model = ModelWrapper(str(self.folder / "intermediate_models" / "specialise.onnx"))
        write_logics(self.folder, self.network.fingerprint, threshold_logics(model, self.network))

    def _keys(self, steps: Sequence[Step]) -> dict[str, str]:
        """For each step a hash over everything that decides the model behind it."""
        digest = hashlib.sha256(f"fat_fpga {__version__} clock {self.clock}".encode())
        keys = {}
        for step in steps:
            digest.update(repr((step.name, step.inputs)).encode())
            keys[step.name] = digest.hexdigest()
        return keys

    def _finished(self, steps: Sequence[Step], keys: dict[str, str]) -> dict[str, Any]:
        """The leading steps whose result is in the folder and is still the right one."""
        if not (self.folder / STATE).exists():
            return {}
        try:
            state = read_object(self.folder / STATE, "a state of a build", FinnError).inner("steps")
            stored = {name: state.inner(name).value for name in state.value}
        except FinnError as error:
            raise FinnError(f"{error}: remove the file, and the build starts anew") from error
        found: dict[str, Any] = {}
        for step in steps:
            file = self.folder / "intermediate_models" / f"{step.name}.onnx"
            made = (GENERATED, ACCELERATOR) if self.rtl_only else (GENERATED,)
            lost = step.name == "code" and not all((self.folder / name).is_dir() for name in made)
            if stored.get(step.name, {}).get("key") != keys[step.name] or not file.is_file() or lost:
                break
            found[step.name] = stored[step.name]
        return found

    def _config(self, steps: Sequence[Step], start: str | None) -> Any:
        from finn.builder.build_dataflow_config import DataflowBuildConfig, DataflowOutputType, ShellFlowType

        names = [step.name for step in steps]
        outputs = [DataflowOutputType.ESTIMATE_REPORTS]
        for name, output in (("stitch", "STITCHED_IP"), ("bitfile", "BITFILE"), ("driver", "PYNQ_DRIVER"),
                             ("package", "DEPLOYMENT_PACKAGE")):  # fmt: skip
            outputs += [DataflowOutputType[output]] if name in names else []
        return DataflowBuildConfig(
            output_dir=str(self.folder.resolve()),
            synth_clk_period_ns=1000 / self.clock,
            generate_outputs=outputs,
            board=self.board.name,
            shell_flow_type=ShellFlowType.VIVADO_ZYNQ,
            standalone_thresholds=self.inject == INJECTIONS[0],
            start_step=start,
            save_intermediate_models=True,
        )


class _Runner:
    """Hands our steps to FINN's builder, and keeps the state file.

    A step is only noted as finished when the next one starts, or the builder ends: its model is in its file by then.
    """

    def __init__(
        self, path: Path, steps: Sequence[Step], keys: dict[str, str], state: dict[str, Any], told: Told
    ) -> None:
        self.path, self.steps, self.keys, self._told = path, steps, keys, told
        self._streams = sys.stdout, sys.stderr
        self.state = dict(state)
        self._waiting: tuple[str, float] | None = None
        self._failed: tuple[str, BaseException] | None = None

    def run(self, config: Any, model: Path) -> None:
        """Run FINN's builder; FinnError if a step fails."""
        from finn.builder.build_dataflow import build_dataflow_cfg

        config.steps = [self._wrapped(number, step) for number, step in enumerate(self.steps)]
        with _own_streams():
            try:
                code = build_dataflow_cfg(str(model), config)
            except Exception as error:
                code, self._failed = -1, self._failed or ("of the builder", error)
        if self._failed is not None:
            name, cause = self._failed
            if isinstance(cause, FatFpgaError | KeyboardInterrupt):
                raise cause
            text = str(cause).strip().splitlines() or [""]
            log = self.path.parent / "build_dataflow.log"
            raise FinnError(f"step {name}: {type(cause).__name__}: {text[0]} (FINN's log: {log})") from cause
        if code:
            raise FinnError(
                f"FINN's builder ended with code {code} (its log: {self.path.parent / 'build_dataflow.log'})"
            )
        self._note()

    def _wrapped(self, number: int, step: Step) -> Callable[[Model, Any], Model]:
        def run(model: Model, config: Any) -> Model:
            try:
                self._note()
                self._tell(step.name, number + 1, None)
                start = time.perf_counter()
                model = step.run(model, config)
                seconds = time.perf_counter() - start
                self._tell(step.name, number + 1, seconds)
            except BaseException as error:
                self._failed = step.name, error
                raise
            self._waiting = step.name, seconds
            return model

        run.__name__ = step.name
        return run

    def _tell(self, name: str, number: int, seconds: float | None) -> None:
        out, err = self._streams
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            self._told(name, number, len(self.steps), seconds)

    def _note(self) -> None:
        if self._waiting is None:
            return
        name, seconds = self._waiting
        self._waiting = None
        self.state[name] = {"key": self.keys[name], "seconds": round(seconds, 3)}
        with replacing(self.path) as temporary:
            temporary.write_text(json.dumps({"version": __version__, "steps": self.state}, indent=2) + "\n")


@contextlib.contextmanager
def _own_streams() -> Iterator[None]:
    """FINN's builder takes over standard output, standard error and the root logger: give them back afterwards.

    What it prints is in its log.
    """
    root, out, err = logging.getLogger(), sys.stdout, sys.stderr
    handlers, level = list(root.handlers), root.level
    sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
        for handler in list(root.handlers):
            if handler not in handlers:
                root.removeHandler(handler)
                handler.close()
        root.handlers, root.level = handlers, level
        logging.captureWarnings(False)


def _nobody(name: str, number: int, of: int, seconds: float | None) -> None:
    """Watches no progress."""
