"""Running a campaign: every fault, on every image, into a run file (Zahid et al. 2020, Algorithm 1)."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fat_fpga.arguments import checked
from fat_fpga.campaign.crew import Alone
from fat_fpga.campaign.dask_crew import DaskCrew
from fat_fpga.campaign.deviations import Worth
from fat_fpga.campaign.fault_free import FaultFree
from fat_fpga.campaign.identity import Identity, ordered
from fat_fpga.campaign.layer_table import layer_table
from fat_fpga.campaign.new_file import Sheet
from fat_fpga.campaign.pace import Pace
from fat_fpga.campaign.run import Run
from fat_fpga.campaign.selection import Selection
from fat_fpga.campaign.store import Store
from fat_fpga.campaign.work import work
from fat_fpga.datasets.in_memory import LabelledImages, as_dataset
from fat_fpga.engines import Engine, Session, default_engine, get
from fat_fpga.engines.counts import HITS, NONFINITE, PREDICTIONS, WORDS, check_counting
from fat_fpga.engines.criteria import TOP5
from fat_fpga.engines.images import check_images
from fat_fpga.errors import CampaignError, ModelWarning
from fat_fpga.faults import AnyFault, AnySubject, Pattern, Subject, check_faults, fault_space
from fat_fpga.files import check_writable
from fat_fpga.foreign import Model, Module
from fat_fpga.network import Network, load_network
from fat_fpga.workers import connected

if TYPE_CHECKING:
    from distributed import Client

LOG = logging.getLogger(__name__)


@checked
def run_campaign(
    network: AnySubject | Model,
    dataset: LabelledImages,
    faults: Sequence[AnyFault] | Selection | None = None,
    path: str | os.PathLike[str] | None = None,
    engine: str | Engine | None = None,
    *,
    chunk: int | None = None,
    progress: bool = False,
    expect_accuracy: float | Fraction | None = None,
    dask: str | Client | None = None,
    dask_wait: float | None = None,
    counting: Sequence[str] = (),
    experiment: str | None = None,
) -> Run:
    """Count, for every fault, the images still classified correctly, and those whose class it changes.

    Where the outputs of the network are no classes, count the images whose output stays as it is, and measure the mean
    and largest deviation from the fault-free output. Labels are not needed then.

    Continues where an earlier call with the same network, data and faults was stopped, also by kill -9;
    returns at once if that one had finished. Gives a `ModelWarning` before the first fault where the accuracy without
    faults is near chance (`FaultFree.near_chance`).

    >>> from fat_fpga import fault_space, load_data, load_network, run_campaign
    >>> network, data = load_network("cnv_w1a1"), load_data("demo:cifar10")              # doctest: +SKIP
    >>> run = run_campaign(network, data, fault_space(network), "cnv_w1a1.run", progress=True)  # doctest: +SKIP

    Args:
        network: as `fat_fpga.network.load_network` gives it, or a model in memory that it takes; a torch module is
            exported for images of the data's shape. Or a `fat_fpga.modules.ModuleSubject`, any torch module as it is.
        dataset: a `Dataset`, ``(images, labels)`` or a torch data set; see `fat_fpga.datasets.as_dataset`.
        faults: every stuck channel by default, of a module every flip of a bit of a weight. In any order; see
            ``fault_space`` for all of a kind, and
            ``Selection.sample`` for some of them.
        path: the run file; made if it does not exist. Without one the run is in memory only: it is lost with the
            process, also if the campaign is stopped.
        engine: a name that `fat_fpga.engines.get` knows, or an engine; by default ``native``, for modules ``module``.
        chunk: faults for each call of the engine and each transaction; by default as many as take some ten seconds.
        progress: show a progress bar on standard error.
        expect_accuracy: least accuracy without faults, in percent.
        dask: compute on workers of Dask: ``local:N`` for N processes on this machine, the address of a scheduler as
            ``tcp://HOST:PORT``, or a ``distributed.Client``. Each worker takes the threads that Dask gave it.
        dask_wait: seconds to wait while Dask has no worker; by default 60 for ``local:N``, any time for others.
        counting: what else to count: ``outcomes`` (masked, silent corruption, critical, ...; with the detectors
            ``voter``, ``range`` and ``ecc``), ``errors`` by class, ``top5``, costs (`CostMatrix.counting`). With
            ``predictions`` the run keeps the class of each image under each fault (`Run.predictions`). See
            `fat_fpga.engines.counts`.
        experiment: text of the experiment file that the campaign is of; a new run file keeps it.

    Raises:
        CampaignError: the file holds another campaign, or is none; the accuracy without faults is below
            ``expect_accuracy``, and nothing is written; Dask is not installed, does not answer, goes away, or has
            no worker for too long, or a worker has another fat_fpga; what is finished is saved, and another call
            continues.
        DataError, FaultError, ModelError: images or faults do not fit the network.
        OSError: the file cannot be written; told before any work is done.
    """
    if path is None:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "memory.run"
            run = run_campaign(
                network,
                dataset,
                faults,
                file,
                engine,
                chunk=chunk,
                progress=progress,
                expect_accuracy=expect_accuracy,
                dask=dask,
                dask_wait=dask_wait,
                counting=counting,
                experiment=experiment,
            )
            kept = None if run.predictions is None else run.predictions.in_memory()
            return replace(run, path=None, predictions=kept)
    path = Path(path)
    if chunk is not None and chunk < 1:
        raise CampaignError(f"chunk must be at least one fault, got {chunk}")
    if expect_accuracy is not None and not 0 <= expect_accuracy <= 100:
        raise CampaignError(f"the expected accuracy must be a percentage, 0 to 100, got {expect_accuracy}")
    dataset = as_dataset(dataset)
    if not isinstance(network, AnySubject):
        shape = dataset.images.shape[1:] if isinstance(network, Module) else None
        network = load_network(network, image_shape=shape)
    values = network.outputs is not None
    if values and expect_accuracy is not None:
        raise CampaignError(f"{network.name} has outputs that are no classes, and so no accuracy to be expected")
    if not values:
        dataset.need_labels("a campaign on a network with classes")
    check_images(network, dataset.images, dataset.labels, dataset.name)
    labels = np.zeros(len(dataset.images), np.int64) if values else dataset.labels
    selection = Selection.of(fault_space(network.fault_free) if faults is None else faults)
    faults = ordered(network, selection.faults)
    check_faults(network.fault_free, faults, len(dataset.images))
    engine = get(engine or default_engine(network)) if engine is None or isinstance(engine, str) else engine
    if isinstance(network, Subject):
        counting = tuple(dict.fromkeys((*counting, NONFINITE)))
    if any(isinstance(fault, Pattern) for fault in faults):
        counting = tuple(dict.fromkeys((*counting, HITS)))
    if any(isinstance(fault, Pattern) and fault.protection for fault in faults):
        counting = tuple(dict.fromkeys((*counting, WORDS)))
    check_counting(counting, network.fault_free)
    classes = network.classes if PREDICTIONS in counting else None
    identity = Identity.of(network, dataset, faults, counting)
    check_writable(path)
    store = Store.open(path, identity, faults, engine.name) if path.exists() else None
    try:
        if store is not None and expect_accuracy is not None:
            FaultFree(dataset.labels, store.golden, network.classes).expect(expect_accuracy)
        if store is None or store.pending:
            with connected(dask, dask_wait) as pool:
                session = engine.open(network)
                started = perf_counter()
                golden = session.run(dataset.images, dataset.labels, []).golden
                top5 = session.fault_free_top5(dataset.images, labels) if TOP5 in counting else None
                session.check_taken(faults)
                if not values:
                    _check_accuracy(FaultFree(labels, golden, network.classes), expect_accuracy)
                pace = Pace(perf_counter() - started, chunk)
                with (
                    Alone(session, dataset, counting)
                    if pool is None
                    else DaskCrew(pool, network, dataset, engine, golden, counting) as crew
                ):
                    if store is None:
                        worth = None
                        if isinstance(network, Network) and network.outputs is not None:
                            worth = Worth(network.outputs.unit, network.values)
                        sheet = Sheet(
                            identity, selection.origin, layer_table(network), faults, labels, golden, worth,
                            classes, top5, experiment,
                        )  # fmt: skip
                        store = Store.create(path, sheet, engine.name)
                    _check_golden(store, golden, top5, session)
                    what = identity.network, identity.dataset, identity.images, session.name, len(store.pending)
                    LOG.info("%s on %s, %d images: the %s engine has %d faults to do", *what)
                    work(crew, faults, len(dataset.images), store, pace, progress, classes)
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


def _check_golden(store: Store, golden: npt.NDArray[np.int32], top5: int | None, session: Session) -> None:
    if not np.array_equal(golden, store.golden):
        raise CampaignError(
            f"{store.path}: the {session.name} engine predicts other classes for the fault-free network than the file "
            "holds, so one of two engines is wrong: please report it"
        )
    if top5 != store.top5:
        raise CampaignError(
            f"{store.path}: the {session.name} engine has the labels of {top5} images among the five highest scores of "
            f"the fault-free network, the file {store.top5}, so one of two engines is wrong: please report it"
        )
