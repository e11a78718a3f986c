"""landing -> facts, and past the gate statistics -> marts: one project, two steps."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    dbt_assets,
)

from dagster_project import dbt_project, quality
from dagster_project.progress import report
from dagster_project.settings import Settings
from dagster_project.warehouse import hold

_MANIFEST = dbt_project.manifest(Settings.for_process())
_JUDGED = "fqn:optout.statistics fqn:optout.marts"


class Translator(DagsterDbtTranslator):
    """Asset keys and groups by layer; dbt's tests stay dbt's."""

    def __init__(self) -> None:
        """Switch the mirroring of dbt tests off: each would cost an event a run."""
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=False))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Layer and name."""
        return dg.AssetKey([_layer(dbt_resource_props), dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The layer."""
        return _layer(dbt_resource_props)


def _layer(node: Mapping[str, Any]) -> str:
    if node["resource_type"] == "source":
        return str(node["source_name"])
    return str(node["config"]["schema"])


def _build(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, stage: str
) -> Iterator[Any]:
    """Build the selected models with their tests; unit tests belong to development."""
    settings = Settings.for_process()
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    if settings.full_refresh:
        arguments.append("--full-refresh")
    total = len(context.selected_asset_keys)
    with hold(settings.at):
        target = dbt_project.target(settings)
        run = dbt.cli(arguments, context=context, target_path=target)
        events = (each for each in run.stream() if _is_told(each))
        for done, event in enumerate(events, start=1):
            report(stage, min(done, total), total)
            yield event


def _is_told(event: Any) -> bool:
    """Whether Dagster is to keep it: a test that fails fails dbt and so the run."""
    return not isinstance(event, dg.AssetObservation)


@dbt_assets(manifest=_MANIFEST, exclude=_JUDGED, dagster_dbt_translator=Translator())
def facts(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """Meaning: one outcome a message, one opt-out an episode, one basis a campaign."""
    settings = Settings.for_process()
    with hold(settings.at):
        quality.forget_verdicts(settings.at)
        yield from _build(context, dbt, "facts")


@dbt_assets(manifest=_MANIFEST, select=_JUDGED, dagster_dbt_translator=Translator())
def marts(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """What the facts prove; then rates, reasons, decay, audits: what people read."""
    yield from _build(context, dbt, "marts")
