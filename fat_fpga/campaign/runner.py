"""Running a campaign: every fault, on every image, into a run file (Zahid et al. 2020, Algorithm 1)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import numpy.typing as npt

from fat_fpga.arguments import checked
from fat_fpga.campaign.identity import Identity, ordered
from fat_fpga.campaign.layer_table import layer_table
from fat_fpga.campaign.pace import Pace, spread
from fat_fpga.campaign.progress import Bar
from fat_fpga.campaign.run import Run
from fat_fpga.campaign.selection import Selection
from fat_fpga.campaign.store import Store
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import Engine, Session, get
from fat_fpga.engines.images import check_images
from fat_fpga.errors import CampaignError
from fat_fpga.faults import AnyFault, check_faults
from fat_fpga.files import check_writable
from fat_fpga.network import Network


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
) -> Run:
    """Count, for every fault, the images still classified correctly, and those whose class it changes.

    Continues where an earlier call with the same network, data and faults was stopped, also by kill -9;
    returns at once if that one had finished.

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

    Raises:
        CampaignError: the file holds another campaign, or is none.
        DataError, FaultError, ModelError: images or faults do not fit the network.
        OSError: the file cannot be written; told before any work is done.
    """
    path = Path(path)
    if chunk is not None and chunk < 1:
        raise CampaignError(f"chunk must be at least one fault, got {chunk}")
    check_images(network, dataset.images, dataset.labels)
    selection = Selection.of(faults)
    faults = ordered(network, selection.faults)
    check_faults(network.fault_free, faults, len(dataset.images))
    engine = get(engine) if isinstance(engine, str) else engine
    identity = Identity.of(network, dataset, faults)
    check_writable(path)
    store = Store.open(path, identity) if path.exists() else None
    try:
        if store is None or store.pending():
            session = engine.open(network)
            started = perf_counter()
            golden = session.run(dataset.images, dataset.labels, []).golden
            session.check_taken(faults)
            pace = Pace(perf_counter() - started, chunk)
            if store is None:
                store = Store.create(
                    path, identity, selection.origin, layer_table(network), faults, dataset.labels, golden
                )
            _check_golden(store, golden, session)
            _work(session, dataset, faults, store, pace, progress)
        store.finish()
    finally:
        if store is not None:
            store.close()
    return Run.open(path)


def _check_golden(store: Store, golden: npt.NDArray[np.int32], session: Session) -> None:
    if not np.array_equal(golden, store.golden()):
        raise CampaignError(
            f"{store.path}: the {session.name} engine predicts other classes for the fault-free network than the file "
            "holds, so one of two engines is wrong: please report it"
        )


def _work(
    session: Session,
    dataset: Dataset,
    faults: Sequence[AnyFault],
    store: Store,
    pace: Pace,
    progress: bool,
) -> None:
    waiting = spread(faults, store.pending())
    images = len(dataset.images)
    store.begin_session(session.name)
    with Bar(len(faults), len(faults) - len(waiting), images, progress) as bar:
        while waiting:
            now, waiting = sorted(waiting[: pace.size]), waiting[pace.size :]
            started = perf_counter()
            outcome = session.run(
                dataset.images,
                dataset.labels,
                [faults[p] for p in now],
                progress=partial(bar.chunk, len(now)),
            )
            seconds = perf_counter() - started
            store.record(now, outcome.correct, outcome.changed, seconds)
            pace.measured(len(now), seconds)
            bar.saved(len(now))
