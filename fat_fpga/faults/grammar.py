"""The text form of faults, read character by character so that an error can say where.

    text    = pattern | set
    pattern = place { "+" place } "/" kind { "+" kind } "[*]" [ ".bit[" ( bit | "*" ) "]" ] action [ protection ]
              "~" rate "@ sample[" number "]"
    action  = "^" "1" [ "burst[" number "]" ] | "=" value | "=" "uniform" | "=" "masked"
    protection = "with" code "[" bits "]" [ "interleave[" number "]" ] [ "detected[" policy "]" ]
    set    = fault { "&" fault }
    fault  = place { "+" place } "/" kind "[" index [ "of" count ] "]" [ ".bit[" bit "]" ] effect
             [ "@ frame[" number "]" ]
    effect = "=" value | "^" "1"

A place is the name of a layer (``conv1``, ``conv1.pool``; of a module ``features.0``), ``input``, or ``*`` for all
layers; several are the layers that one PE serves in turn. An index is a list of numbers separated by commas. Spaces are
free everywhere but inside names and numbers.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NoReturn

from fat_fpga.arguments import checked
from fat_fpga.errors import FaultError
from fat_fpga.faults.any_fault import AnyFault
from fat_fpga.faults.codes import CODES
from fat_fpga.faults.fault import Fault, single_or_set
from fat_fpga.faults.pattern import EVERY, JOIN, WITH, Action, Pattern
from fat_fpga.faults.protection import OnDetect, Protection
from fat_fpga.faults.registry import fault_model, known_kinds

_NAME = re.compile(r"\w+(?:\.(?!bit\b)\w+)*|\*")
_WORD = re.compile(r"[A-Za-z_]\w*")
_NUMBER = re.compile(r"[0-9]{1,18}")
_SIGNED = re.compile(r"[+-]?[0-9]{1,18}")
_RATE = re.compile(r"(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?")
_SPACE = re.compile(r"\s*")
EXAMPLE = "conv1/channel[17] = +1"


@checked
def parse_fault(text: str) -> AnyFault:
    """Read the text form of a fault or of a set of faults (``A & B``).

    Raises:
        FaultError: it names the character where the text stops being a fault, and what was possible there.
    """
    scanner = _Scanner(text)
    first = scanner.fault()
    if isinstance(first, Pattern):
        if not scanner.done():
            scanner.fail("the end: a pattern stands alone")
        return first
    faults = [first]
    while scanner.take("&"):
        start, other = scanner.at, scanner.fault()
        if isinstance(other, Pattern):
            scanner.fail("a single fault: a pattern stands alone", start)
        faults.append(other)
    if not scanner.done():
        scanner.fail("the end, '&' and another fault, or '@ frame[...]'" if faults[-1].frame is None else "the end")
    return single_or_set(faults)


class _Scanner:
    """A position in a text; spaces in front of it are skipped."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self._skip()

    def _skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        assert found is not None
        self.at = found.end()

    def done(self) -> bool:
        return self.at == len(self.text)

    def take(self, token: str) -> bool:
        """Whether ``token`` stands here; it is passed if so."""
        if not self.text.startswith(token, self.at):
            return False
        self.at += len(token)
        self._skip()
        return True

    def need(self, token: str, meaning: str = "") -> None:
        if not self.take(token):
            self.fail(meaning or f"'{token}'")

    def match(self, pattern: re.Pattern[str], meaning: str) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            self.fail(meaning)
        self.at = found.end()
        self._skip()
        return found[0]

    def fail(self, expected: str, at: int | None = None) -> NoReturn:
        """FaultError that points at the offending character."""
        at = self.at if at is None else at
        found = f"'{self.text[at:].split()[0]}'" if self.text[at:].strip() else "the end of the text"
        raise FaultError(
            f"cannot read fault '{self.text.strip()}': at character {at + 1} expected {expected}, got {found} "
            f"(a fault looks like {EXAMPLE})"
        )

    def number(self, meaning: str) -> int:
        return int(self.match(_NUMBER, meaning))

    def bracketed(self, meaning: str) -> int:
        self.need("[")
        number = self.number(meaning)
        self.need("]")
        return number

    def fault(self) -> Fault | Pattern:
        layers = [self.match(_NAME, "the name of a layer, 'input', or '*'")]
        while self.take(JOIN):
            layers.append(self.match(_NAME, "the name of another layer, or 'input'"))
        self.need("/")
        kinds = [self._kind()]
        while self.take(JOIN):
            kinds.append(self._kind())
        start = self.at
        self.need("[")
        if self.take(EVERY):
            return self._pattern(tuple(layers), tuple(kinds))
        if len(kinds) > 1 or (len(layers) > 1 and not fault_model(kinds[0]).traits.everywhere):
            self.fail("'[*]': several layers or kinds are for patterns, errors at a rate", start)
        layer, (kind,) = JOIN.join(layers), kinds
        index = [self.number("a number")]
        while self.take(","):
            index.append(self.number("a number"))
        of = self.number("the number of PEs") if self.take("of") else None
        self.need("]", "',' and another number, or ']'" if of is None else "']'")
        bit = None
        if self.take("."):
            self.need("bit")
            bit = self.bracketed("the number of a bit")
        flip, value = self._effect(bit)
        frame = None
        if self.take("@"):
            self.need("frame")
            frame = self.bracketed("the number of an image")
        return Fault(layer, kind, tuple(index), value, of, bit, flip, frame)

    def _kind(self) -> str:
        start = self.at
        kinds = known_kinds()
        kind = self.match(_WORD, f"a kind of fault ({', '.join(kinds)})")
        if kind not in kinds:
            self.fail(f"a kind of fault ({', '.join(kinds)})", start)
        return kind

    def _pattern(self, layers: tuple[str, ...], kinds: tuple[str, ...]) -> Pattern:
        """A pattern, from behind its ``[*``."""
        self.need("]")
        if EVERY in layers and len(layers) > 1:
            self.fail("'*' alone, which is all layers")
        bit = None
        if self.take("."):
            self.need("bit")
            self.need("[")
            bit = -1 if self.take(EVERY) else self.number("the number of a bit, or '*'")
            self.need("]")
        action, value = self._action(bit)
        burst = 1
        if action is Action.FLIP and self.take("burst"):
            burst = self.bracketed("a number of cells")
        protection = self._protection() if self.take(WITH) else None
        self.need("~", "'~' and a rate, as '~ 1e-6'")
        start, rate = self.at, float(self.match(_RATE, "a rate, 0 to 1"))
        if not 0 <= rate <= 1:
            self.fail("a rate, 0 to 1", start)
        self.need("@", "'@ sample[...]', the number of the draw")
        self.need("sample")
        sample = self.bracketed("the number of a sample")
        return Pattern(layers, kinds, bit, action, value, rate, sample, burst, protection)

    def _protection(self) -> Protection:
        """A protection, from behind its ``with``."""
        name = self._one_of(CODES, "a code")
        data, interleave, policy = self.bracketed("a number of data bits"), 1, OnDetect.KEEP
        if self.take("interleave"):
            interleave = self.bracketed("a number of words")
        if self.take("detected"):
            self.need("[")
            policy = OnDetect(self._one_of([each.value for each in OnDetect], "what is done about a detected word"))
            self.need("]")
        return Protection(name, data, interleave, policy)

    def _one_of(self, known: Collection[str], what: str) -> str:
        start, expected = self.at, f"{what} ({', '.join(known)})"
        word = self.match(_WORD, expected)
        if word not in known:
            self.fail(expected, start)
        return word

    def _action(self, bit: int | None) -> tuple[Action, int]:
        start = self.at
        if self.take("^"):
            self.need("1", "'1': '^ 1' flips the bit")
            return Action.FLIP, 1
        self.need("=", "'=' and a value, 'uniform' or 'masked', or '^ 1'")
        if bit is None and self.take("uniform"):
            return Action.UNIFORM, 0
        if bit is not None and self.take("masked"):
            return Action.MASKED, 0
        expected = "an integer or 'uniform'" if bit is None else "0, 1 or 'masked'"
        start, value = self.at, int(self.match(_SIGNED, expected))
        if bit is not None and value not in (0, 1):
            self.fail(expected, start)
        return Action.HOLD, value

    def _effect(self, bit: int | None) -> tuple[bool, int]:
        if bit is None:
            self.need("=", "'=' and a value, or '.bit[...]'")
            return False, int(self.match(_SIGNED, "an integer"))
        start = self.at
        if self.take("^"):
            self.need("1", "'1': '^ 1' flips the bit")
            return True, 1
        self.need("=", "'=' to hold the bit, or '^ 1' to flip it")
        start, value = self.at, int(self.match(_SIGNED, "0 or 1"))
        if value not in (0, 1):
            self.fail("0 or 1", start)
        return False, value
