"""Which activations go wrong together: the shape of the random tensor r, by the name of the error model."""

from __future__ import annotations

from collections.abc import Callable

from fat_fpga.errors import TrainingError

Shape = tuple[int, ...]


def _channel(shape: Shape) -> Shape:
    """A whole channel of an image: [b, c, 1, 1] (equation 4)."""
    return (*shape[:2], *(1 for _ in shape[2:]))


def _pixel(shape: Shape) -> Shape:
    """The same pixel of all channels of an image: [b, 1, h, w] (equation 5)."""
    return (shape[0], 1, *shape[2:])


def _element(shape: Shape) -> Shape:
    """Every activation by itself, which is different pixels in different channels (equation 1 as it stands)."""
    return shape


ERROR_MODELS: dict[str, Callable[[Shape], Shape]] = {"channel": _channel, "pixel": _pixel, "element": _element}
"""From the shape of the activations [b, c, ...] to that of r, which is broadcast to it.

Behind a fully connected layer, [b, c], a channel is an element, and there is one pixel: its error is all of an image's
activations at once.
"""


def check_error_model(name: str) -> str:
    """The name, if it is that of an error model.

    Raises:
        TrainingError: it is none.
    """
    if name not in ERROR_MODELS:
        raise TrainingError(f"unknown error model {name!r}; known error models: {', '.join(ERROR_MODELS)}")
    return name
