"""A PyTorch module as the subject of campaigns."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError
from fat_fpga.faults import Place, Subject
from fat_fpga.modules.calls import modules_of
from fat_fpga.modules.formats import Format
from fat_fpga.modules.input import ModuleInput
from fat_fpga.modules.places import places_of
from fat_fpga.modules.sites import Site, Where
from fat_fpga.modules.survey import SIZES, Survey, survey
from fat_fpga.modules.values import first_tensor, with_first

_NAME = re.compile(r"\w+(?:\.(?!bit\b)\w+)*")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
MOST_NEAR = 4


class ModuleSubject(Subject):
    """Any ``torch.nn.Module`` that classifies, in evaluation mode.

    >>> subject = ModuleSubject(model.eval(), (3, 32, 32))                      # doctest: +SKIP
    >>> run = run_campaign(subject, data, fault_space(subject, "weight"))       # doctest: +SKIP

    The module is not copied. While a campaign runs, faults are put into its parameters in place, and taken out again
    byte for byte.

    Args:
        module: takes a batch of rows, gives class scores [N, classes]; the largest is the class, of one score class 1
            if it is above 0. A module of ``torch.compile`` is executed as the module that was compiled.
        row: shape of one row of the data, as (3, 32, 32).
        name: what to call it; by default its class.
        formats: how words stand in bits, by place (``features.0``), kind (``activation``), both
            (``features.0/weight``), or ``*``; the closest one counts. By default the type of each tensor.
        pixels, mean, std: what the module takes, see `ModuleInput`.
        dtype: of the tensor that the module is called with; by default that of its first parameter for floats.

    Raises:
        ModelError: the module is in training mode, cannot be run on such rows, gives no class scores, or has names that
            a fault cannot be written with; a format is unknown or fits no place.
    """

    engine = "module"

    @checked
    def __init__(
        self,
        module: nn.Module,
        row: Sequence[int],
        name: str | None = None,
        *,
        formats: Mapping[str, str] | None = None,
        pixels: str = "unit",
        mean: Sequence[float] = (),
        std: Sequence[float] = (),
        dtype: str | None = None,
    ) -> None:
        module = getattr(module, "_orig_mod", module)
        self.name = name or type(module).__name__
        self.module = module
        self.formats = dict(formats or {})
        self._check_mode()
        self.modules = modules_of(module)
        self._input = ModuleInput(
            tuple(map(int, row)), dtype or self._own_dtype(), pixels, tuple(map(float, mean)), tuple(map(float, std))
        )
        for part in (*self.modules, *self.tensors):
            if not _NAME.fullmatch(part):
                raise ModelError(f"{self.name} has a module or parameter '{part}', which no fault can be written with")
        if "input" in self.modules:
            raise ModelError(f"{self.name} has a module called 'input', which is the place of its data: rename it")
        self.survey: Survey = survey(self.name, module, self.modules, self._samples())
        self._found = places_of(self)
        unused = [key for key in self.formats if key not in self._found.asked]
        if unused:
            raise ModelError(f"format of '{unused[0]}': {self._no_words(*unused[0].partition('/')[::2])}")
        self._check_scales()

    def __repr__(self) -> str:
        return f"<ModuleSubject {self.name}: {len(self.places)} places, {self.classes} classes>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Made anew from its arguments, as in a worker of a distributed campaign."""
        own = self._input
        return _made, (self.module, own.row, self.name, self.formats, own.pixels, own.mean, own.std, own.dtype)

    @property
    def input(self) -> ModuleInput:
        """What data it takes."""
        return self._input

    @property
    def classes(self) -> int:
        """Number of classes: two where there is one score, else one for each."""
        return self.survey.classes

    @property
    def places(self) -> Mapping[str, Place]:
        """Every place by name: ``input``, then each module, and after it its parameters and buffers that are not called
        ``weight``."""
        return self._found.places

    @property
    def sites(self) -> Mapping[tuple[str, str], Site]:
        """What each place and kind of fault is."""
        return self._found.sites

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """Every parameter and floating-point buffer by its name in the state dict; those of shared modules under each
        of their names."""
        found: dict[str, Tensor] = dict(self.module.named_parameters(remove_duplicate=False))
        return found | {
            name: buffer
            for name, buffer in self.module.named_buffers(remove_duplicate=False)
            if buffer.is_floating_point()
        }

    @property
    def device(self) -> torch.device:
        """Where the module is."""
        first = next(iter(self.tensors.values()), None)
        return torch.device("cpu") if first is None else first.device

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the structure (classes, names, options), every parameter and buffer, and what it takes."""
        digest = hashlib.sha256(b"fat_fpga module 1")
        digest.update(_ADDRESS.sub("", repr(self.module)).encode())
        for name, part in self.module.named_modules():
            digest.update(f"{name} {type(part).__module__}.{type(part).__qualname__}\n".encode())
        for name, tensor in self.module.state_dict().items():
            if isinstance(tensor, Tensor):
                digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
                digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        digest.update(repr((self._input, sorted(self.formats.items()))).encode())
        return digest.hexdigest()

    @property
    def memory_fingerprint(self) -> str:
        """SHA-256 over that, and over the format of every site."""
        parts = [(place, kind, str(site.format), site.dims) for (place, kind), site in self.sites.items()]
        return hashlib.sha256(f"fat_fpga module words 1 {self.fingerprint} {parts!r}".encode()).hexdigest()

    def unknown(self, name: str) -> str:
        """What to say of a place that it does not have: the nearest names."""
        near = get_close_matches(name, self.places, MOST_NEAR, 0.4) or list(self.places)[:MOST_NEAR]
        return f"unknown place '{name}': {self.name} has {', '.join(near)}, ... ({len(self.places)} places), and *"

    def _no_words(self, name: str, kind: str) -> str:
        """Why no format fits a place, or a kind of fault in it."""
        if name not in self.places:
            return self.unknown(name)
        kinds = ", ".join(self.places[name].cells) or "none"
        return f"{name} has no words of kind {kind or 'any'}: it has {kinds}"

    def format_at(self, place: str, kind: str, asked: set[str]) -> str | None:
        """The name of the format that was asked for; None where none was. The keys that say so are added to
        ``asked``."""
        found = None
        for key in ("*", kind, place, f"{place}/{kind}"):
            if key in self.formats:
                asked.add(key)
                found = self.formats[key]
        return found

    def stores(self, name: str) -> bool:
        """Whether what a module gives is stored in another format than it has."""
        return name in self._found.stored

    def store(self, name: str, output: Any) -> Any:
        """What is stored of what a module gives, in the format of its place; under the name and ``#state`` of a
        hidden state."""
        form = self._found.stored.get(name)
        tensor = first_tensor(output) if form is not None else None
        return output if form is None or tensor is None else with_first(output, form.stored(tensor))

    @contextmanager
    def loaded(self) -> Iterator[None]:
        """Have the parameters rounded to their formats where these are not their types; undone at the end."""
        before: list[tuple[Tensor, Tensor]] = []
        try:
            with torch.no_grad():
                for tensor, form in self._found.rounded:
                    before.append((tensor, tensor.detach().clone()))
                    tensor.copy_(form.stored(tensor))
            yield
        finally:
            with torch.no_grad():
                for tensor, kept in reversed(before):  # memory that has two names was kept twice, first as it was
                    tensor.copy_(kept)

    def check_ready(self) -> None:
        """ModelError where the module was put into training mode since."""
        self._check_mode()

    def _check_mode(self) -> None:
        training = [name or "the module itself" for name, part in self.module.named_modules() if part.training]
        if training:
            raise ModelError(
                f"{self.name} is in training mode ({training[0]}{', ...' * (len(training) > 1)}): call .eval() first, "
                "or dropout and normalisation make each run another"
            )

    def _own_dtype(self) -> str:
        for tensor in self.tensors.values():
            if tensor.is_floating_point():
                return str(tensor.dtype).removeprefix("torch.")
        return "float32"

    def _samples(self) -> tuple[Tensor, Tensor]:
        """Two small batches: noise, or zeros where the module takes integers."""
        dtype: torch.dtype = getattr(torch, self._input.dtype)
        source = torch.Generator().manual_seed(0)
        first, second = (
            torch.rand((size, *self._input.row), generator=source).to(self.device, dtype)
            if dtype.is_floating_point
            else torch.zeros((size, *self._input.row), dtype=dtype, device=self.device)
            for size in SIZES
        )
        return first, second

    def _check_scales(self) -> None:
        """Parameters that share memory are stored in one format."""
        forms: dict[int, Format] = {}
        for site in self.sites.values():
            if site.where is Where.PARAMETER:
                tensor = self.tensors[site.name]
                form = forms.setdefault(tensor.data_ptr(), site.format)
                if tensor.numel() and form != site.format:
                    raise ModelError(
                        f"{site.name} is one parameter with two names, and two formats: {form}, {site.format}"
                    )


def _made(
    module: nn.Module,
    row: Sequence[int],
    name: str,
    formats: Mapping[str, str],
    pixels: str,
    mean: Sequence[float],
    std: Sequence[float],
    dtype: str,
) -> ModuleSubject:
    return ModuleSubject(module, row, name, formats=formats, pixels=pixels, mean=mean, std=std, dtype=dtype)
