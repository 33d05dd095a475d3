"""The versions that a model says it is written in: what is meant by an operator depends on them."""

from __future__ import annotations

import onnx

from fat_fpga.errors import ModelError

EXPORT = "export the model again, or convert it with onnx.version_converter"


def standard_opset(model: onnx.ModelProto) -> int:
    """The version of the standard operators; ModelError where the model names none, several, or one not known here."""
    if not 3 <= model.ir_version <= onnx.IR_VERSION:
        raise ModelError(
            f"it is in version {model.ir_version} of the ONNX format, expected 3 to {onnx.IR_VERSION}: "
            f"{EXPORT if model.ir_version < 3 else 'install a newer onnx, or export the model in an older version'}"
        )
    versions: set[int] = {o.version for o in model.opset_import if o.domain in ("", "ai.onnx")}
    if len(versions) > 1:
        raise ModelError(
            f"it imports several versions of the standard operators, {sorted(versions)}: convert it to one of them"
        )
    if not versions:
        raise ModelError(f"it does not say which version of the standard operators it imports (opset_import): {EXPORT}")
    (version,) = versions
    newest: int = onnx.defs.onnx_opset_version()
    if not 1 <= version <= newest:
        raise ModelError(
            f"it imports version {version} of the standard operators, expected 1 to {newest}: "
            f"{EXPORT if version < 1 else 'install a newer onnx, or export the model with an older opset'}"
        )
    return version
