"""The search: which networks are trained next, so that few parameters and few errors are found. Optuna chooses.

Each choice follows from the seed and from what was measured before alone, so a search that was stopped goes on with the
networks that it would have tried.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.arguments import checked
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.errors import TrainingError
from fat_fpga.extras import advice
from fat_fpga.files import make_folder, replacing
from fat_fpga.json_file import read_object
from fat_fpga.sizes.candidate import Candidate, Space
from fat_fpga.sizes.measured import QUESTION_FILE, Measured
from fat_fpga.sizes.measuring import Question, measure

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

AT_RANDOM = 10
"""Networks that are drawn at random first."""
TRIES = 200
"""Choices in a row that were measured already, before the space counts as exhausted."""
Measure = Callable[[Candidate], Measured]


@checked
def search(
    space: Space,
    train_set: Dataset,
    test_set: Dataset,
    question: Question,
    folder: Path,
    trials: int = 30,
    progress: bool = True,
) -> Iterator[Measured]:
    """Measure networks until there are ``trials`` of the space; yields each.

    The goals of the search are few parameters, few errors without deviations, and few errors at the highest rate under
    the first deviation.

    Args:
        folder: made if missing; a search that was stopped continues in it.

    Raises:
        TrainingError: the folder is of another search; Optuna is not installed.
        ModelError: an unknown format.
    """
    from fat_fpga.modules.formats import format_of

    format_of(question.format)  # told before anything is trained
    _claim(Path(folder), space, question)
    yield from _trials(
        space, lambda one: measure(one, train_set, test_set, question, folder, progress), question, trials
    )


def _trials(space: Space, measured: Measure, question: Question, trials: int) -> Iterator[Measured]:
    known: list[Measured] = []
    while len(known) < trials:
        candidate = proposal(space, known, question)
        if candidate is None:
            return
        known.append(measured(candidate))
        yield known[-1]


def proposal(space: Space, known: Sequence[Measured], question: Question) -> Candidate | None:
    """The network to be measured after these; None where no other one is found."""
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise TrainingError(f"a search needs the package {error.name}: {advice('sizes')}") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=question.seed * 100_003 + len(known), n_startup_trials=AT_RANDOM)
    study = optuna.create_study(directions=["minimize"] * 3, sampler=sampler)
    distributions = _distributions(space)
    for one in known:
        choices = space.choices(one.candidate)
        if choices is not None:
            goals = _goals(one, question)
            study.add_trial(optuna.trial.create_trial(params=choices, distributions=distributions, values=goals))
    names = {one.candidate.name for one in known}
    for _ in range(TRIES):
        trial = study.ask()

        def choose(name: str, low: int, high: int, log: bool, trial: optuna.Trial = trial) -> int:
            found: int = trial.suggest_int(name, low, high, log=log)
            return found

        candidate = space.candidate(choose)
        if candidate is not None and candidate.name not in names:
            return candidate
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    return None


def _goals(one: Measured, question: Question) -> list[float]:
    return [float(one.parameters), one.error_free, one.error(question.deviations[0], question.rates[-1])]


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    """What each choice of a space is taken from."""
    from optuna.distributions import IntDistribution

    found: dict[str, BaseDistribution] = {}

    def note(name: str, low: int, high: int, log: bool) -> int:
        found[name] = IntDistribution(low, high, log=log)
        return low

    space.candidate(note)
    return found


def _claim(folder: Path, space: Space, question: Question) -> None:
    """Write what is searched into a new folder; TrainingError where another search is in it."""
    try:
        make_folder(folder)
    except OSError as error:
        raise TrainingError(f"{folder}: {error.strerror}") from error
    wanted = json.loads(json.dumps({"kind": space.kind} | question.to_dict()))
    path = folder / QUESTION_FILE
    if not path.exists():
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(wanted, indent=1) + "\n")
        return
    held = read_object(path, "a search of fat-fpga sizes", TrainingError).value
    if held != wanted:
        differs = [key for key in wanted if held.get(key) != wanted[key]]
        raise TrainingError(
            f"{folder}: holds a search with another {', '.join(differs) or 'question'}; choose another folder or the "
            "same options"
        )
