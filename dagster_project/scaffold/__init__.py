"""Begins a source: its folder with a drafted mapping, a sample and what to expect.

Everything a draft guesses is tagged, and the loader refuses it until somebody has
looked. No value of the example gets into a draft but the words of its event, status
and verdict columns.
"""

from __future__ import annotations

import json
from pathlib import Path

from dagster_project.mapping.document import MappingError
from dagster_project.mapping.model import NAME
from dagster_project.mapping.schema import FILE, source_schema
from dagster_project.mapping.vocabulary import vocabularies
from dagster_project.scaffold.draft import draft
from dagster_project.scaffold.example import Example, read_examples
from dagster_project.scaffold.guess import guess
from dagster_project.scaffold.sample import expected_text, sample_name, sample_text
from dagster_project.settings import SEEDS, SOURCES


def new_source(name: str, example: Path | None) -> list[Path]:
    """Write ``sources/<name>/``.

    Args:
        name: lower case letters, digits and ``_``.
        example: an export to draft from; without one the mapping is a frame.

    Returns:
        What was written: the mapping first.

    Raises:
        MappingError: for a name that cannot be a folder of ours, or that exists.
        RefusedError: when the example cannot be read.
    """
    folder = SOURCES / name
    if not NAME.fullmatch(name):
        raise MappingError(f"`{name}`: a source is lower case letters, digits and _")
    if folder.exists():
        raise MappingError(f"The source {name} exists already: {folder}")
    if example is not None and not example.is_file():
        raise MappingError(f"There is no file {example}.")
    examples = read_examples(example) if example else [Example("", "table")]
    exports = [guess(entry) for entry in examples]
    for number, export in enumerate(exports):
        same = [other.name for other in exports[:number]]
        if export.name in same:
            export.name = f"{export.name}_{number + 1}"
    texts = {folder / "source.yaml": draft(name, exports)}
    for export in exports if example else ():
        kind = f"_{export.name}" if len(exports) > 1 else ""
        sample = folder / f"sample{kind}.{sample_name(export)}"
        texts[sample] = sample_text(export)
        texts[folder / f"expected{kind}.csv"] = expected_text(export)
    folder.mkdir()
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    schema = json.dumps(source_schema(vocabularies(SEEDS)), indent=1)
    (SOURCES / FILE).write_text(schema + "\n", encoding="utf-8")
    return list(texts)
