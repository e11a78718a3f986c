"""Files of the owner's under ``config/``: read, checked, mistakes told with their line.

What a file may say is for the module of that file. Everything is checked before any
export is read, because a word that nobody knows would otherwise change nothing, in
silence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ValidationError

from dagster_project.mapping.places import line_of, repeated_key, unreadable

Content = TypeVar("Content", bound=BaseModel)


class ConfigurationError(Exception):
    """A file under ``config/`` is wrong; the text says where and what was expected."""


def _source_and_account(place: str) -> str:
    source, _, account = place.partition("/")
    if not (source and account) or "/" in account:
        raise ValueError("expected source/account, such as generic/crm")
    return place


AccountPlace = Annotated[str, AfterValidator(_source_and_account)]
"""An account in the words of the inbox: source/account."""


@dataclass(frozen=True)
class Document:
    """One file as its owner wrote it.

    Attributes:
        name: of the file, for messages.
        top: the key that holds everything.
        text: what it says; nothing where there is no file.
    """

    name: str
    top: str
    text: str = ""

    def place(self, *path: str | int) -> str:
        """File, line and path of something in it, for an error to begin with."""
        line = line_of(self.text, path) or 1
        return f"{self.name}, line {line}: {_dotted(path)}"

    def read(
        self,
        content: type[Content],
        keys_of: Callable[[Sequence[str | int]], type[BaseModel]],
        *,
        is_list: bool = False,
    ) -> Content:
        """What the file holds.

        Args:
            content: what it may hold.
            keys_of: the model whose keys were expected, by the path of a strange one.
            is_list: whether the key at the top may be left out.

        Raises:
            ConfigurationError: naming the line, the path inside the file and what was
                expected.
        """
        if repeated := repeated_key(self.text):
            keys, first, again = repeated
            raise ConfigurationError(
                f"{self.name}, line {again}: {_dotted(keys)} stands in line {first}"
                " already; expected every key once"
            )
        try:
            return content.model_validate(self._parsed(is_list))
        except yaml.YAMLError as error:
            raise ConfigurationError(f"{self.name} is not YAML: {error}") from None
        except ValidationError as error:
            raise ConfigurationError(self._explain(error, keys_of)) from None
        except ValueError as error:
            keys, line = unreadable(self.text) or ((), 1)
            raise ConfigurationError(
                f"{self.name}, line {line}: {_dotted(keys)}: a day that no calendar"
                f" knows: {error}"
            ) from None

    def _parsed(self, is_list: bool) -> dict[str, Any]:
        parsed = yaml.safe_load(self.text) or {}
        if is_list and isinstance(parsed, list):
            parsed = {self.top: parsed}
        if not isinstance(parsed, dict) or not all(isinstance(k, str) for k in parsed):
            raise ConfigurationError(
                f"{self.name}, line 1: expected `{self.top}:` at the top"
            )
        return parsed

    def _explain(
        self,
        error: ValidationError,
        keys_of: Callable[[Sequence[str | int]], type[BaseModel]],
    ) -> str:
        told = []
        for entry in error.errors(include_input=False, include_url=False):
            path, says = entry["loc"], entry["msg"].removeprefix("Value error, ")
            if entry["type"] == "extra_forbidden":
                model = keys_of(path)
                says = f"no such key; expected one of {', '.join(model.model_fields)}"
            told.append(f"{self.place(*path)}: {says}")
        return "; ".join(told)


def read_document(config: Path, file: str, top: str) -> Document | None:
    """A file under ``config/``, not yet judged; None where there is none.

    Raises:
        ConfigurationError: when it is no text in UTF-8.
    """
    path, name = config / file, f"config/{file}"
    if not path.exists():
        return None
    try:
        return Document(name, top, path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name}: expected text in UTF-8") from None


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in path)
