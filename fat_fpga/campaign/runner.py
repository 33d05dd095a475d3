"""Running a campaign: every fault, on every image, into a run file (Zahid et al. 2020, Algorithm 1)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fat_fpga.arguments import checked
from fat_fpga.campaign.crew import Alone
from fat_fpga.campaign.dask_client import connected
from fat_fpga.campaign.dask_crew import DaskCrew
from fat_fpga.campaign.fault_free import FaultFree
from fat_fpga.campaign.identity import Identity, ordered
from fat_fpga.campaign.layer_table import layer_table
from fat_fpga.campaign.new_file import Sheet
from fat_fpga.campaign.pace import Pace
from fat_fpga.campaign.run import Run
from fat_fpga.campaign.selection import Selection
from fat_fpga.campaign.store import Store
from fat_fpga.campaign.work import work
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import Engine, Session, get
from fat_fpga.engines.images import check_images
from fat_fpga.errors import CampaignError, ModelWarning
from fat_fpga.faults import AnyFault, check_faults
from fat_fpga.files import check_writable
from fat_fpga.network import Network

if TYPE_CHECKING:
    from distributed import Client


@checked
def run_campaign(
    network: Network,
    dataset: Dataset,
    faults: Sequence[AnyFault] | Selection,
    path: str | os.PathLike[str],
    engine: str | Engine = "native",
    *,
    chunk: int | None = None,
    progress: bool = False,
    expect_accuracy: float | Fraction | None = None,
    dask: str | Client | None = None,
) -> Run:
    """Count, for every fault, the images still classified correctly, and those whose class it changes.

    Continues where an earlier call with the same network, data and faults was stopped, also by kill -9;
    returns at once if that one had finished. Gives a `ModelWarning` before the first fault where the accuracy without
    faults is near chance (`FaultFree.near_chance`).

    >>> from fat_fpga.campaign import run_campaign
    >>> from fat_fpga.datasets import load
    >>> from fat_fpga.faults import fault_space
    >>> from fat_fpga.network import load_network
    >>> network = load_network("cnv_w1a1.onnx")                                        # doctest: +SKIP
    >>> data = load("cifar10:data/cifar-10-batches-py")                                # doctest: +SKIP
    >>> run = run_campaign(network, data, fault_space(network), "cnv_w1a1.run", progress=True)  # doctest: +SKIP

    Args:
        faults: in any order; see ``fault_space`` for all of a kind, and ``Selection.sample`` for some of them.
        path: the run file; made if it does not exist.
        engine: a name that `fat_fpga.engines.get` knows, or an engine.
        chunk: faults for each call of the engine and each transaction; by default as many as take some ten seconds.
        progress: show a progress bar on standard error.
        expect_accuracy: least accuracy without faults, in percent.
        dask: compute on workers of Dask: ``local:N`` for N processes on this machine, the address of a scheduler as
            ``tcp://HOST:PORT``, or a ``distributed.Client``. Each worker takes the threads that Dask gave it.

    Raises:
        CampaignError: the file holds another campaign, or is none; the accuracy without faults is below
            ``expect_accuracy``, and nothing is written; Dask is not installed, does not answer, or goes away, or a
            worker has another fat_fpga; what is finished is saved, and another call continues.
        DataError, FaultError, ModelError: images or faults do not fit the network.
        OSError: the file cannot be written; told before any work is done.
    """
    path = Path(path)
    if chunk is not None and chunk < 1:
        raise CampaignError(f"chunk must be at least one fault, got {chunk}")
    if expect_accuracy is not None and not 0 <= expect_accuracy <= 100:
        raise CampaignError(f"the expected accuracy must be a percentage, 0 to 100, got {expect_accuracy}")
    check_images(network, dataset.images, dataset.labels)
    selection = Selection.of(faults)
    faults = ordered(network, selection.faults)
    check_faults(network.fault_free, faults, len(dataset.images))
    engine = get(engine) if isinstance(engine, str) else engine
    identity = Identity.of(network, dataset, faults)
    check_writable(path)
    store = Store.open(path, identity, faults, engine.name) if path.exists() else None
    try:
        if store is not None and expect_accuracy is not None:
            FaultFree(dataset.labels, store.golden, network.classes).expect(expect_accuracy)
        if store is None or store.pending:
            with nullcontext() if dask is None else connected(dask) as client:
                session = engine.open(network)
                started = perf_counter()
                golden = session.run(dataset.images, dataset.labels, []).golden
                session.check_taken(faults)
                _check_accuracy(FaultFree(dataset.labels, golden, network.classes), expect_accuracy)
                pace = Pace(perf_counter() - started, chunk)
                with (
                    Alone(session, dataset)
                    if client is None
                    else DaskCrew(client, network, dataset, engine, golden) as crew
                ):
                    if store is None:
                        sheet = Sheet(identity, selection.origin, layer_table(network), faults, dataset.labels, golden)
                        store = Store.create(path, sheet, engine.name)
                    _check_golden(store, golden, session)
                    work(crew, faults, len(dataset.images), store, pace, progress)
        store.finish()
    finally:
        if store is not None:
            store.close()
    return Run.open(path)


def _check_accuracy(found: FaultFree, expected: float | Fraction | None) -> None:
    if expected is not None:
        found.expect(expected)
    warning = found.warning()
    if warning is not None:
        warnings.warn(warning, ModelWarning, stacklevel=3)


def _check_golden(store: Store, golden: npt.NDArray[np.int32], session: Session) -> None:
    if not np.array_equal(golden, store.golden):
        raise CampaignError(
            f"{store.path}: the {session.name} engine predicts other classes for the fault-free network than the file "
            "holds, so one of two engines is wrong: please report it"
        )
