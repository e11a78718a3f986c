"""The laws of CONTRIBUTING.md that a machine can hold."""

from __future__ import annotations

import ast
import csv
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dagster_project.mapping import vocabulary
from dagster_project.mapping.model import load_sources
from dagster_project.settings import (
    DBT_PROJECT,
    EXPECTATIONS,
    PROJECT_ROOT,
    SEEDS,
    SOURCES,
)

PACKAGE = PROJECT_ROOT / "dagster_project"
MODULES = sorted(PACKAGE.rglob("*.py"))
MODELS = DBT_PROJECT / "models"
LAYERS = {
    layer: sorted((MODELS / layer).glob("*.sql"))
    for layer in ("staging", "intermediate", "facts", "statistics", "marts")
}


def _name(path: Path) -> str:
    return str(path.relative_to(PROJECT_ROOT))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imported(path: Path) -> Iterator[str]:
    """Every module that a file imports anywhere, function bodies included."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _tracked() -> list[Path]:
    """Text files that git knows, or would know: what a clone shows."""
    if shutil.which("git") is None:
        return []
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, check=False)
    names = [name for name in listed.stdout.decode().split("\0") if name]
    paths = [PROJECT_ROOT / name for name in names]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()]


# -- a vendor's name dies at the edge ----------------------------------------------


def _vendor_words() -> dict[str, re.Pattern[str]]:
    words: dict[str, re.Pattern[str]] = {}
    for name, source in load_sources(SOURCES).items():
        if source.kind == "any":
            continue  # the documented columns are nobody's
        spellings = {name, name.replace("_", " "), name.replace("_", ""), source.title}
        listed = "|".join(re.escape(spelling) for spelling in sorted(spellings))
        words[name] = re.compile(rf"\b({listed})\b", re.IGNORECASE)
    return words


@pytest.mark.parametrize("vendor", sorted(_vendor_words()))
@pytest.mark.parametrize(
    "root", [DBT_PROJECT, EXPECTATIONS], ids=lambda path: path.name
)
def test_no_vendor_is_named_in(root: Path, vendor: str) -> None:
    word = _vendor_words()[vendor]
    texts = (".sql", ".yml", ".yaml", ".csv", ".md")
    found = [
        _name(path)
        for path in root.rglob("*")
        if path.suffix in texts
        and (word.search(path.read_text(encoding="utf-8")) or word.search(path.name))
    ]
    assert found == []


def test_every_source_leaves_to_one_macro_what_a_link_leads_to() -> None:
    by_hand = [
        f"{name}/{export.name}"
        for name, source in load_sources(SOURCES).items()
        for export in source.exports
        if "url_kind(" not in export.fields.get("url_kind", "url_kind(")
    ]
    assert by_hand == []


# -- layers ------------------------------------------------------------------------


def test_no_python_lies_in_the_dbt_project() -> None:
    assert [_name(path) for path in DBT_PROJECT.rglob("*.py")] == []


@pytest.mark.parametrize(
    "folder", ["mapping", "landing"], ids=lambda folder: f"{folder} stands alone"
)
def test_lower_packages_import_nothing_from_above(folder: str) -> None:
    allowed = {
        "mapping": ("mapping",),
        "landing": (
            *("mapping", "landing", "settings"),
            *("accounts", "changes", "configuration"),
        ),
    }[folder]
    above = [
        f"{_name(path)} imports {module}"
        for path in sorted((PACKAGE / folder).glob("*.py"))
        for module in _imported(path)
        if module.startswith("dagster_project.") and module.split(".")[1] not in allowed
    ]
    assert above == []


def test_mapping_emits_sql_text_and_knows_no_engine_or_orchestrator() -> None:
    engines = {"dagster", "duckdb", "pandas", "pyarrow", "dbt", "great_expectations"}
    found = [
        f"{_name(path)} imports {module}"
        for path in sorted((PACKAGE / "mapping").glob("*.py"))
        for module in _imported(path)
        if module.split(".")[0] in engines
    ]
    assert found == []


def _references(path: Path, function: str) -> list[str]:
    text = re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    calls = re.findall(rf"\b{function}\(\s*(.*?)\)", text)
    return [call.split(",")[-1].strip(" '\"") for call in calls]


def test_only_staging_reads_sources() -> None:
    above = [p for layer in LAYERS if layer != "staging" for p in LAYERS[layer]]
    assert [_name(path) for path in above if _references(path, "source")] == []
    assert all(_references(path, "source") for path in LAYERS["staging"])


@pytest.mark.parametrize(
    ("layer", "reads"),
    [
        pytest.param("staging", (), id="staging reads no model"),
        pytest.param(
            "intermediate", ("stg_", "int_"), id="intermediate reads staging and itself"
        ),
        pytest.param(
            "facts",
            ("stg_", "int_", "fct_", "dim_"),
            id="facts read staging, intermediate and facts",
        ),
        pytest.param(
            "statistics", ("fct_", "dim_"), id="statistics read facts and themselves"
        ),
        pytest.param(
            "marts", ("fct_", "dim_"), id="marts read facts, dimensions and statistics"
        ),
    ],
)
def test_a_layer_knows_only_the_layers_before_it(
    layer: str, reads: tuple[str, ...]
) -> None:
    seeds = {path.stem for path in SEEDS.glob("*.csv")}
    # Names past the gate carry no prefix of their layer.
    unprefixed = {"statistics": ("statistics",), "marts": ("statistics", "marts")}
    judged = {
        path.stem for known in unprefixed.get(layer, ()) for path in LAYERS[known]
    }
    strange = [
        f"{path.name} reads {name}"
        for path in LAYERS[layer]
        for name in _references(path, "ref")
        if name not in seeds | judged and not name.startswith(reads or ("no model",))
    ]
    assert strange == []
    assert LAYERS[layer], "the layer has models"


# -- keys ----------------------------------------------------------------------------


OF_A_MAPPING = {
    "dim_source_exports.sql",
    "dim_question_files.sql",
    "dim_reason_options.sql",
}
"""What a mapping can read is the same in every account."""


def test_every_key_that_names_the_source_names_the_account() -> None:
    keys = [
        (path.name, re.findall(r"['.](\w+)'", parts))
        for layer in LAYERS.values()
        for path in layer
        for parts in re.findall(
            r"hash_key\(\[(.*?)\]\)", path.read_text(encoding="utf-8"), re.DOTALL
        )
    ]
    assert len(keys) > 10
    assert {n for n, parts in keys if "source" in parts} >= OF_A_MAPPING
    assert [
        (name, parts)
        for name, parts in keys
        if "source" in parts and "account" not in parts and name not in OF_A_MAPPING
    ] == []


@pytest.mark.parametrize("layer", ["facts", "marts"])
def test_the_grain_of_every_table_is_tested_and_names_the_account(layer: str) -> None:
    listed = yaml.safe_load(
        (MODELS / layer / f"_{layer}__models.yml").read_text(encoding="utf-8")
    )
    for model in listed["models"]:
        single = [
            column["name"]
            for column in model["columns"]
            if "key" in column.get("data_tests", [])
        ]
        together = [
            test["one_row_per"]["arguments"]["columns"]
            for test in model.get("data_tests", [])
            if "one_row_per" in test
        ]
        assert single or together, f"nothing tests the grain of {model['name']}"
        assert all({"source", "account"} <= set(columns) for columns in together), (
            model["name"]
        )
    assert {model["name"] for model in listed["models"]} == {
        path.stem for path in LAYERS[layer]
    }


# -- habits of the code ------------------------------------------------------------


def _reads_environment(path: Path) -> bool:
    """Whether a file looks a variable up; handing all of them to a child is no look."""
    tree = _tree(path)
    handed_on = {
        id(value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if key is None
    }
    looked_at = any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and node.attr in ("environ", "getenv", "environb")
        and id(node) not in handed_on
        for node in ast.walk(tree)
    )
    named = {"os.environ", "os.getenv", "os.environb"}
    return looked_at or bool(named & set(_imported(path)))


def test_only_settings_reads_the_environment() -> None:
    readers = [_name(path) for path in MODULES if _reads_environment(path)]
    assert readers == ["dagster_project/settings.py"]


def test_nothing_prints() -> None:
    printing = [
        _name(path)
        for path in MODULES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert printing == []


def test_no_error_is_swallowed_whole() -> None:
    swallowing = [
        f"{_name(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or getattr(node.type, "id", "") in ("Exception", "BaseException")
        )
        and all(isinstance(step, ast.Pass | ast.Continue) for step in node.body)
    ]
    assert swallowing == []


@pytest.mark.parametrize(
    "module",
    [
        "dagster_project.mapping.compile",
        "dagster_project.landing.land",
        "dagster_project.cli",
    ],
)
def test_a_light_import_stays_light(module: str) -> None:
    heavy = {"dagster", "dbt", "great_expectations", "pandas", "plotly"}
    code = f"import sys, {module}; print(*sorted({heavy!r} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.split() == []


# -- what the repository shows -----------------------------------------------------


FORBIDDEN = {
    # Written in two parts, so that this file does not hold what it forbids.
    "an index of packages": re.compile(
        "https?:" + r"//[^\s\"'>]*\b(pypi|pythonhosted|artifactory|nexus|devpi)\b"
    ),
    "an installer's index option": re.compile(
        "--(extra-)?index" + "-url|--find" + "-links"
    ),
    "a folder of this machine": re.compile(
        r"(?<![\w.])/(" + "home/|Users/|root/|work/|workspace/|mnt/)" + r"\w"
    ),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_text_names(what: str) -> None:
    tracked = _tracked()
    if not tracked:
        pytest.skip("not a clone: git lists nothing here")
    assert PROJECT_ROOT / "pyproject.toml" in tracked
    found = [
        f"{_name(path)}:{number}"
        for path in tracked
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        )
        if FORBIDDEN[what].search(line)
    ]
    assert found == []


# -- words -------------------------------------------------------------------------


def _columns(seed: str) -> list[str]:
    with (SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as handle:
        return next(csv.reader(handle))


def test_every_vocabulary_that_python_reads_is_a_seed_with_its_column() -> None:
    for seed, column in vocabulary._SEEDED.items():
        assert column in _columns(seed), seed
    assert {"domain", "mailbox_provider"} <= set(_columns("mailbox_providers"))


def test_every_seed_is_described_and_every_description_has_a_seed() -> None:
    listed = yaml.safe_load((SEEDS / "_seeds.yml").read_text(encoding="utf-8"))
    described = {seed["name"] for seed in listed["seeds"]}
    assert described == {path.stem for path in SEEDS.glob("*.csv")}


def test_checks_of_campaigns_and_their_explanations_are_the_same() -> None:
    seed = SEEDS / "denominator_checks.csv"
    with seed.open(encoding="utf-8", newline="") as handle:
        explained = {row["check_name"] for row in csv.DictReader(handle)}
    checked = {
        name
        for path in LAYERS["intermediate"]
        for name in re.findall(r"'(\w+)' as check_name", path.read_text("utf-8"))
    }
    assert checked == explained


def test_every_finding_has_advice_and_every_advice_its_finding() -> None:
    with (SEEDS / "findings.csv").open(encoding="utf-8", newline="") as handle:
        advised = {(row["level"], row["finding"]) for row in csv.DictReader(handle)}
    found = {
        (level, finding)
        for level in ("campaign", "stream")
        for finding in re.findall(
            r"'(\w+)' as finding",
            (MODELS / "statistics" / f"{level}_findings.sql").read_text("utf-8"),
        )
    }
    assert found == advised


def test_the_warehouse_knows_every_reason_for_a_refusal() -> None:
    with (SEEDS / "refusal_reasons.csv").open(encoding="utf-8", newline="") as handle:
        known = {row["reason"] for row in csv.DictReader(handle)}
    given = {
        reason
        for path in MODULES
        for reason in re.findall(
            r'RefusedError\(\s*"(\w+)"', path.read_text(encoding="utf-8")
        )
    }
    assert given == known
