"""The pipeline as Dagster sees it: a golden graph, so that a change shows in review."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.settings import EXPECTATIONS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> object:
    patch = pytest.MonkeyPatch()
    patch.setenv("OPTOUT_HOME", str(tmp_path_factory.mktemp("definitions")))
    patch.setenv("OPTOUT_INBOX", str(tmp_path_factory.mktemp("inbox")))
    from dagster_project.definitions import definitions as loaded

    yield loaded
    patch.undo()


def _graph(definitions: object) -> dict[str, set[str]]:
    graph = definitions.resolve_asset_graph()
    return {
        key.to_user_string(): {p.to_user_string() for p in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }


def test_the_graph_reads_like_the_flow(definitions: object) -> None:
    layers = {}
    for key, parents in _graph(definitions).items():
        layer = key.split("/")[0]
        layers.setdefault(layer, set()).update(p.split("/")[0] for p in parents)
    assert {layer: parents - {layer} for layer, parents in layers.items()} == {
        "inbox": set(),
        "landing": {"inbox"},
        "context": {"inbox"},
        "seeds": set(),
        "staging": {"landing", "context"},
        "intermediate": {"staging", "seeds"},
        "facts": {"staging", "intermediate", "seeds"},
        "statistics": {"facts", "seeds"},
        "marts": {"facts", "seeds", "statistics"},
        "published": {"marts"},
        "report": {"published"},
    }


def test_every_mart_is_published_and_only_marts(definitions: object) -> None:
    graph = _graph(definitions)
    marts = {key for key in graph if key.startswith("marts/")}
    assert graph["published/marts"] == marts
    assert {key.removeprefix("marts/") for key in marts} >= {
        "campaign_unsubscribe_rates",
        "denominator_audit",
        "list_decay_monthly",
        "load_ledger",
        "opt_out_conservation",
        "opt_out_reasons",
        "rate_revisions",
        "unsubscribe_rates_monthly",
    }


def test_the_gate_blocks(definitions: object) -> None:
    checks = {
        check.name: check.blocking
        for asset_checks in definitions.asset_checks
        for check in asset_checks.check_specs
    }
    suites = {path.stem for path in EXPECTATIONS.glob("*.yaml")}
    assert checks == dict.fromkeys(suites, True)


def test_the_schedule_and_the_sensor_start_the_same_job(definitions: object) -> None:
    assert [job.name for job in definitions.jobs] == ["refresh"]
    assert {s.job_name for s in (*definitions.schedules, *definitions.sensors)} == {
        "refresh"
    }


def test_the_sensor_asks_for_one_run_once_files_lie_still(
    definitions: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dagster as dg

    from dagster_project.defs.automation import inbox_files

    inbox = tmp_path / "inbox"
    inbox.mkdir()
    monkeypatch.setenv("OPTOUT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OPTOUT_INBOX", str(inbox))

    def tick(cursor: str | None) -> dg.SensorResult | dg.SkipReason:
        with dg.build_sensor_context(cursor=cursor) as context:
            return inbox_files(context)

    assert isinstance(tick(None), dg.SkipReason)
    (inbox / "one.csv").write_text("a,b\n1,2\n")
    (inbox / "two.csv").write_text("a,b\n1,2\n")
    first = tick(None)
    assert first.skip_reason and not first.run_requests
    second = tick(first.cursor)
    assert len(second.run_requests) == 1
    (inbox / "two.csv").write_text("a,b\n1,2\n3,4\n")
    assert tick(second.cursor).skip_reason
