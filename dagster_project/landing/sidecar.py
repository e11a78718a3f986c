"""What somebody writes beside an export: flat ``key: value`` lines, texts all."""

from __future__ import annotations

import yaml

from dagster_project.landing.reader import RefusedError

ENDINGS = (".meta.yaml", ".meta.yml")
MOST_BYTES = 64 << 10


def export_of(path: str) -> str | None:
    """The export that a path is a sidecar of; None where it is none."""
    ending = next((end for end in ENDINGS if path.lower().endswith(end)), None)
    return path[: -len(ending)] if ending else None


def parse(content: bytes) -> dict[str, str]:
    """The values by key, as written: ``007`` and ``no`` stay texts.

    Raises:
        RefusedError: when it is anything but scalars by distinct keys.
    """
    if len(content) > MOST_BYTES:
        raise _bad()
    try:
        text = content.decode("utf-8-sig")
        top = yaml.compose(text, Loader=yaml.SafeLoader)
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise _bad(mark.line + 1 if mark else None) from None
    if top is None:
        return {}
    if not isinstance(top, yaml.MappingNode):
        raise _bad()
    values: dict[str, str] = {}
    for key, value in top.value:
        is_flat = isinstance(key, yaml.ScalarNode) and isinstance(
            value, yaml.ScalarNode
        )
        if not is_flat or key.value in values:
            raise _bad(key.start_mark.line + 1)
        values[key.value] = "" if value.tag.endswith(":null") else value.value.strip()
    return values


def _bad(line: int | None = None) -> RefusedError:
    where = "" if line is None else f" on line {line}"
    return RefusedError(
        "bad_sidecar",
        f"The file of keys beside it cannot be read{where}. Write `key: value` lines,"
        " each key once, in UTF-8.",
    )
