"""A ``source.yaml`` as text: its tags, its places, and what is wrong with it.

Turns bytes into plain content for the models and their complaints into advice that
names file, line, path and what was expected. What the keys mean is not known here.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from dagster_project.mapping.places import line_of

# The same safe subset, ten times as fast where the library was built with it.
try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

GUESS = "!confirm"
"""Marks what a draft guessed; a mapping that holds one is not loaded."""

_MERGE = "tag:yaml.org,2002:merge"
_QUOTES = ("'", '"', "|", ">")
_MOST_LISTED = 40
_MOST_WRONGS = 20


Wrong = tuple[tuple[str | int, ...], str]
"""Where below a model something is wrong, and what."""


class MappingError(Exception):
    """A mapping says something it may not; the text names file, path and remedy."""


@dataclass(frozen=True)
class Place:
    """Somewhere in a mapping's file; the line is looked up when an error needs it.

    Attributes:
        file: the ``source.yaml``.
        path: keys and, in lists, numbers from 0.
    """

    file: Path
    path: tuple[str | int, ...] = ()

    def at(self, *parts: str | int) -> Place:
        """A place below this one."""
        return Place(self.file, (*self.path, *parts))

    def __str__(self) -> str:
        """Such as ``vendor/source.yaml line 14: exports.0.inputs.id``."""
        text = self.file.read_text(encoding="utf-8") if self.file.exists() else ""
        return placed(_name(self.file), text, self.path)


@dataclass(frozen=True)
class Guess:
    """A value that a draft has marked.

    Attributes:
        line: where it stands, from 1.
        path: the keys above it.
    """

    line: int
    path: tuple[str | int, ...]


def read_document(file: Path, *, may_guess: bool = False) -> dict[str, Any]:
    """The content of a ``source.yaml``.

    Args:
        file: the mapping.
        may_guess: take what is marked ``!confirm`` as it stands.

    Raises:
        MappingError: for a text that is no YAML or no mapping, or that holds guesses.
    """
    name, text = _name(file), file.read_text(encoding="utf-8")
    try:
        content = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f" line {mark.line + 1}" if mark else ""
        raise MappingError(f"{name}{line}: is not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise MappingError(f"{name}: is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise MappingError(f"{name}: expected a mapping of keys at the top")
    if not may_guess and (found := guesses(text)):
        advice = f"is a guess; check it, then remove `{GUESS}`"
        told = [f"{placed(name, text, guess.path)}: {advice}" for guess in found]
        raise MappingError(_some(told))
    return content


def guesses(text: str) -> list[Guess]:
    """What a mapping's text marks as guessed, in order."""
    if GUESS not in text:
        return []
    found: list[Guess] = []
    _collect(yaml.compose(text, Loader=SafeLoader), (), found)
    return sorted(found, key=lambda guess: guess.line)


def _collect(
    node: yaml.Node | None, path: tuple[str | int, ...], found: list[Guess]
) -> None:
    if node is None:
        return
    if node.tag == GUESS:
        found.append(Guess(node.start_mark.line + 1, path))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _collect(value, (*path, str(key.value)), found)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _collect(item, (*path, number), found)


class _Loader(SafeLoader):
    """Reads ``!confirm x`` as x, and does not let the second of two keys win."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._seen: set[int] = set()

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge what ``<<`` names; before that, a key stands once."""
        if id(node) not in self._seen:
            # Afterwards a merged key and the mapping's own stand side by side.
            self._seen.add(id(node))
            self._refuse_doubled(node)
        super().flatten_mapping(node)

    def _refuse_doubled(self, node: yaml.MappingNode) -> None:
        keys = [key for key, _ in node.value if key.tag != _MERGE]
        names: set[Hashable] = set()
        for key in keys:
            if key.value in names:
                problem = f"the key `{key.value}` is given twice; keep one"
                raise yaml.constructor.ConstructorError(
                    None, None, problem, key.start_mark
                )
            names.add(key.value if isinstance(key.value, str) else id(key))


def _guessed(loader: _Loader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    # The tag took the place of the one that the text itself would have.
    is_plain = getattr(node, "style", None) not in _QUOTES
    tag = loader.resolve(  # type: ignore[no-untyped-call]
        yaml.ScalarNode, node.value, (is_plain, not is_plain)
    )
    plain = yaml.ScalarNode(tag, node.value, node.start_mark, node.end_mark)
    return loader.construct_object(plain, deep=True)


_Loader.add_constructor(GUESS, _guessed)


# -- errors ----------------------------------------------------------------------


def placed(name: str, text: str, path: Sequence[str | int]) -> str:
    """File, line and path of a place, as every error begins."""
    line = line_of(text, path)
    where = ".".join(str(part) for part in path)
    told = name if line is None else f"{name} line {line}"
    return f"{told}: {where}" if where else told


def choices(word: str, known: Collection[str]) -> str:
    """The known words for somebody who wrote another one: the closest ones first."""
    lowered = {entry.lower(): entry for entry in sorted(known)}
    near = [
        lowered[entry]
        for entry in difflib.get_close_matches(word.lower(), lowered, cutoff=0.5)
    ]
    words = [*near, *sorted(set(known) - set(near))]
    rest = len(words) - _MOST_LISTED
    more = [f"and {rest} more"] if rest > 0 else []
    return ", ".join([*words[:_MOST_LISTED], *more])


def wrong(*wrongs: Wrong) -> ValidationError:
    """What a model's own check found, each at its path below the model."""
    return ValidationError.from_exception_data(
        "mapping",
        [
            InitErrorDetails(
                type=PydanticCustomError("mapping", "{says}", {"says": says}),
                loc=path,
                input=None,
            )
            for path, says in wrongs
        ],
    )


def explain(error: ValidationError, file: Path, model: type[BaseModel]) -> MappingError:
    """A model's complaints, one a line: file, line, path, what was expected."""
    name, text = _name(file), file.read_text(encoding="utf-8")
    told: list[str] = []
    for entry in error.errors(include_url=False):
        path = _spelled(entry["loc"])
        line = f"{placed(name, text, path)}: {_says(entry, path, model)}"
        if line not in told:
            told.append(line)
    return MappingError(_some(told))


def _some(lines: list[str]) -> str:
    rest = len(lines) - _MOST_WRONGS
    more = [f"and {rest} more"] if rest > 0 else []
    return "\n".join([*lines[:_MOST_WRONGS], *more])


def _name(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def _says(
    entry: ErrorDetails, path: Sequence[str | int], model: type[BaseModel]
) -> str:
    given, kind = entry["input"], entry["type"]
    message = entry["msg"].removeprefix("Value error, ")
    context = entry.get("ctx", {})
    if kind == "extra_forbidden":
        keys = _keys(path[:-1], model)
        return f"no such key; expected one of {choices(str(path[-1]), keys)}"
    if kind == "missing":
        return "is missing"
    if kind in ("literal_error", "enum"):
        words = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        near = choices(str(given), words.split(", "))
        return f"`{given}` is not allowed; expected one of {near}"
    if kind in ("mapping", "value_error"):
        return message
    keys = _keys(path, model)
    expected = {
        "string_type": f"a text; write it in quotes: '{given}'",
        "bool_type": "true or false",
        "bool_parsing": "true or false",
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "float_type": "a number",
        "float_parsing": "a number",
        "list_type": "a list",
        "dict_type": "a mapping of names",
        "model_type": f"a mapping of keys: {', '.join(keys)}",
    }.get(kind, message.removeprefix("Input should be "))
    if isinstance(given, dict | list) or given is None:
        shape = "nothing" if given is None else "a mapping"
        shape = "a list" if isinstance(given, list) else shape
        expected = "a text" if kind == "string_type" else expected
        return f"is {shape}; expected {expected}"
    return f"is {given!r}; expected {expected}"


def _spelled(location: Sequence[str | int]) -> tuple[str | int, ...]:
    """The path as the file has it, without the alternatives that were tried."""
    return tuple(part for part in location if "[" not in str(part))


def _keys(path: Sequence[str | int], model: type[BaseModel]) -> list[str]:
    """The keys that may stand at a path."""
    found: Any = model
    for part in path:
        found = _below(found, part)
    if isinstance(found, type) and issubclass(found, BaseModel):
        fields = found.model_fields.items()
        return [name for name, field in fields if not field.exclude]
    return []


def _below(annotation: Any, part: str | int) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return _bare(field.annotation) if field else None
    arguments = typing.get_args(annotation)
    return _bare(arguments[-1]) if arguments else None


def _bare(annotation: Any) -> Any:
    """The type itself, without ``None`` beside it and without validators."""
    origin = typing.get_origin(annotation)
    arguments = [a for a in typing.get_args(annotation) if a is not type(None)]
    if origin is typing.Annotated or origin in (typing.Union, types.UnionType):
        return _bare(arguments[0])
    return annotation
