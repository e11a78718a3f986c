"""Where in a YAML file something stands, so that an error can name the line.

Reads positions only; what a file means is for the models that load it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line, from 1, of the deepest part of a path that a YAML text has.

    Keys and places of a list are walked as they are read: of two equal keys the last
    counts, a key of the mapping itself counts before a merged one (``<<``), and what
    an alias repeats stands where its anchor is. Parts that the text does not have, as
    a missing key or the name of an alternative, are passed over.

    Args:
        text: the file's content.
        path: keys and, in lists, numbers from 0, as pydantic tells them.

    Returns:
        None for a text that is no YAML or empty.
    """
    node = _compose(text)
    if node is None:
        return None
    line = node.start_mark.line
    for part in path:
        found = _step(node, part)
        if found is not None:
            line, node = found
    return int(line) + 1


def repeated_key(text: str) -> tuple[tuple[str | int, ...], int, int] | None:
    """The first key that a mapping holds twice: YAML would drop one without a word.

    Returns:
        Its path and both lines, from 1; None where every key stands once.
    """
    root = _compose(text)
    for path, node in _nodes(root) if root is not None else ():
        lines: dict[str, int] = {}
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        for key, _ in pairs:
            line = int(key.start_mark.line) + 1
            if key.tag != _MERGE and lines.setdefault(str(key.value), line) != line:
                return (*path, str(key.value)), lines[str(key.value)], line
    return None


def unreadable(text: str) -> tuple[tuple[str | int, ...], int] | None:
    """The first value that looks like a date and is none, with its line from 1."""
    root = _compose(text)
    for path, node in _nodes(root) if root is not None else ():
        if isinstance(node, yaml.ScalarNode):
            try:
                yaml.SafeLoader("").construct_object(node)
            except ValueError:
                return path, int(node.start_mark.line) + 1
    return None


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError:
        return None


def _nodes(root: yaml.Node) -> Iterator[tuple[tuple[str | int, ...], yaml.Node]]:
    """Every node once, with its path; what an alias repeats stands at its anchor."""
    seen: set[int] = set()
    waiting: list[tuple[tuple[str | int, ...], yaml.Node]] = [((), root)]
    while waiting:
        path, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield path, node
        steps: list[tuple[str | int, yaml.Node]]
        if isinstance(node, yaml.MappingNode):
            steps = [(str(key.value), value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            steps = list(enumerate(node.value))
        else:
            continue
        waiting += [((*path, part), value) for part, value in reversed(steps)]


def _step(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    """The line and the value of one part below a node."""
    if isinstance(node, yaml.SequenceNode):
        if isinstance(part, int) and 0 <= part < len(node.value):
            item = node.value[part]
            return item.start_mark.line, item
        return None
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in reversed(node.value):
        if key.tag != _MERGE and key.value == str(part):
            return key.start_mark.line, value
    for merged in _merged(node):
        found = _step(merged, part)
        if found is not None:
            return found
    return None


def _merged(node: yaml.MappingNode) -> Iterator[yaml.Node]:
    """The mappings merged into one, the first to be asked first."""
    for key, value in node.value:
        if key.tag == _MERGE:
            if isinstance(value, yaml.SequenceNode):
                yield from value.value
            else:
                yield value
