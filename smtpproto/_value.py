"""Value: the base of every command, reply, event and extension.

A value is small and immutable; two values are equal when they are of one class and their fields
are. A subclass names its fields once, as ``__slots__ = __match_args__ = (...)``, in its body, where
type checkers look for what a pattern binds, and assigns them in ``__init__`` through `fill`. Frozen
dataclasses would say the same in fewer words, but each costs half a millisecond at import and three
times as much to build, and a server builds nine values a transaction.

The few classes that are built for every command or piece of a message take `setters`, or
`constructor`, which skips ``__init__``: what the parser has checked is not checked again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, TypeVar, cast

from smtpproto.errors import InvalidValueError

__all__ = [
    "Value",
    "check_choice",
    "constructor",
    "fill",
    "is_number",
    "no_text",
    "octets",
    "setters",
]

V = TypeVar("V", bound="Value")


class Value:
    """An immutable value. ``__match_args__`` names its fields, in positional order."""

    __slots__ = ()
    __match_args__: tuple[str, ...] = ()
    _secret: ClassVar[frozenset[str]] = frozenset()
    """Fields that never show in ``repr``."""

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        if cls.__dict__.get("__slots__") and "__match_args__" not in cls.__dict__:
            raise TypeError(f"{cls.__name__}: name the fields in __match_args__ too")

    def _contents(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: build a new one")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: build a new one")

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self._contents() == other._contents()

    def __hash__(self) -> int:
        return hash((self.__class__, self._contents()))

    def __repr__(self) -> str:
        shown = (
            f"{name}={'REDACTED' if name in self._secret and value else repr(value)}"
            for name, value in zip(self.__match_args__, self._contents(), strict=True)
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    def __copy__(self: V) -> V:
        return self

    def __deepcopy__(self: V, memo: object) -> V:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        names = [name for cls in type(self).__mro__ for name in cls.__dict__.get("__slots__", ())]
        return _restore, (type(self), {name: getattr(self, name) for name in names})


def fill(value: Value, *fields: object) -> None:
    """Assign the fields of a new value, in the order of ``__match_args__``."""
    for name, field in zip(value.__match_args__, fields, strict=True):
        object.__setattr__(value, name, field)


def is_number(value: object, first: int, last: int) -> bool:
    """Whether `value` is an int from `first` to `last`; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool) and first <= value <= last


def no_text(what: str, text: object) -> NoReturn:
    """Raise InvalidValueError because `text`, given as the `what`, is not a str.

    It is not shown: it may be a secret.
    """
    raise InvalidValueError(f"the {what} is text (str), not {type(text).__name__}")


def check_choice(name: str, value: object, *choices: str) -> None:
    """Raise InvalidValueError unless `value`, the argument `name`, is one of the `choices`."""
    if value not in choices:
        expected = " or ".join(map(repr, choices))
        raise InvalidValueError(f"{name}={value!r}: expected {expected}")


def octets(data: bytes | bytearray | memoryview) -> bytes:
    """`data` as bytes. Raises TypeError for what else ``bytes()`` would take, numbers and lists."""
    if type(data) is bytes:
        return data
    if not isinstance(data, bytes | bytearray | memoryview):
        # They are not shown: they may be a secret.
        raise TypeError(
            f"octets are wanted (bytes, bytearray, memoryview), not {type(data).__name__}"
        )
    return bytes(data)


def _restore(cls: type[V], slots: dict[str, object]) -> V:
    value = object.__new__(cls)
    for name, field in slots.items():
        object.__setattr__(value, name, field)
    return value


def setters(cls: type[Value], *names: str) -> list[Callable[[Value, object], None]]:
    """The functions that assign the named slots of a new value, or all: `fill` is slower."""
    # The descriptors of the slots write past the class's own __setattr__.
    return [cast(Any, cls.__dict__[name]).__set__ for name in names or cls.__dict__["__slots__"]]


def constructor(cls: type[V]) -> Callable[..., V]:
    """A function that builds a `cls` of one to three slots from what is known to be right."""
    new = object.__new__
    set_first, *others = setters(cls)
    if not others:

        def build_of_one(field: object) -> V:
            value = new(cls)
            set_first(value, field)
            return value

        return build_of_one
    set_second, *others = others
    if not others:

        def build_of_two(first: object, second: object) -> V:
            value = new(cls)
            set_first(value, first)
            set_second(value, second)
            return value

        return build_of_two
    (set_third,) = others

    def build_of_three(first: object, second: object, third: object) -> V:
        value = new(cls)
        set_first(value, first)
        set_second(value, second)
        set_third(value, third)
        return value

    return build_of_three
