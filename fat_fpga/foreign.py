"""Classes of heavy packages, in signatures and for ``isinstance``, without importing the packages.

An object of such a class can only be there once its package is imported, so classes are told by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

__all__ = ["Model", "ModelProto", "ModelWrapper", "Module", "TorchDataset"]

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch.nn import Module
    from torch.utils.data import Dataset

    TorchDataset: TypeAlias = Dataset[Any]

    @runtime_checkable
    class ModelWrapper(Protocol):
        """qonnx has no types."""

        @property
        def model(self) -> ModelProto: ...
else:

    class _ByName(type):
        """A class whose instances are those of the class called ``__name__``, and of classes derived from it."""

        def __instancecheck__(cls, value: object) -> bool:
            return any(f"{base.__module__}.{base.__qualname__}" == cls.full for base in type(value).__mro__)

    def _foreign(full: str, name: str) -> type:
        return _ByName(name, (), {"full": full})

    ModelProto = _foreign("onnx.onnx_ml_pb2.ModelProto", "onnx.ModelProto")
    ModelWrapper = _foreign("qonnx.core.modelwrapper.ModelWrapper", "qonnx.ModelWrapper")
    Module = _foreign("torch.nn.modules.module.Module", "torch.nn.Module")
    TorchDataset = _foreign("torch.utils.data.dataset.Dataset", "torch.utils.data.Dataset")

Model: TypeAlias = ModelProto | ModelWrapper | Module
"""A network in memory: ONNX as it is or in qonnx's wrapper, or a Brevitas network."""
