"""The errors a user can meet. Each message says what was expected, what came, where, and what to do.

The command line prints any of these as one line and leaves with exit code 2.
"""


class FatFpgaError(Exception):
    """Base of every error that fat_fpga raises on purpose."""


class ArgumentError(FatFpgaError, TypeError):
    """An argument of a function is of a wrong type."""


class ModelError(FatFpgaError):
    """A network file or an integer network is not one that can be executed exactly."""


class ModelWarning(UserWarning):
    """A network can be executed, but may not mean what its user expects, or not as fast.

    Shown with `warnings.warn`; the command line prints it as one line, ``fat-fpga: note: ...``.
    """


class DataError(FatFpgaError):
    """A data set is missing, damaged, or does not fit the network."""


class FaultError(FatFpgaError):
    """A fault address cannot be read, or names no place in the network."""


class FaultWarning(UserWarning):
    """A fault list can be used, but is not what it says it is. Shown as a `ModelWarning` is."""


class EngineError(FatFpgaError):
    """An engine is unknown, not available on this machine, or cannot execute the request."""


class CampaignError(FatFpgaError):
    """A campaign cannot be started, continued or read."""


class CampaignWarning(UserWarning):
    """A campaign goes on, but not as its user may expect. Shown as a `ModelWarning` is."""


class TrainingError(FatFpgaError):
    """A training run cannot be started or continued."""


class PlanError(FatFpgaError):
    """A plan for replication is not possible, or does not fit the network or the run."""


class BoardError(FatFpgaError):
    """A board, or the simulated one, does not answer, answers wrongly, or is not the one that was expected."""


class FinnError(FatFpgaError):
    """FINN is not installed, or cannot build, fold or execute the network."""


class HungTransferError(BoardError):
    """Frames went in and did not all come out in time."""


class EnergyError(FatFpgaError):
    """A table of energies is none, or a target cannot be reached."""


class SafetyError(FatFpgaError):
    """Safety metrics cannot be worked out: failure rates are missing or wrong, or a run says too little."""
