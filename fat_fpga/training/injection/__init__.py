"""The error injection layer: equations 1 to 5 of the FAT paper, in any network of Brevitas's or our activations."""

from fat_fpga.training.injection.error_models import ERROR_MODELS
from fat_fpga.training.injection.injector import ErrorInjector, Injector
from fat_fpga.training.injection.insertion import injectors_in, insert_injectors, remove_injectors

__all__ = ["ERROR_MODELS", "ErrorInjector", "Injector", "injectors_in", "insert_injectors", "remove_injectors"]
