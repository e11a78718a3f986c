"""The ``optout`` command: what a person or a scheduler types.

Every command answers from the home; heavy libraries are imported by the commands that
need them, so that ``--help`` is instant. Exit codes are documented in ``EXIT_CODES``.
"""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dagster_project.settings import SOURCES, Home, Settings

if TYPE_CHECKING:
    from dagster_project.running import Outcome

EXIT_CODES = {
    0: "published",
    1: "unexpected",
    2: "usage or configuration; also: nothing to land",
    3: "the gate stopped the marts, the old ones stay",
    4: "published, but a file was refused in this run; of `inspect`: would be",
    5: "another run holds the home",
}

app = typer.Typer(
    name="optout",
    help="From e-mail exports to an unsubscribe rate that can be trusted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Exit codes: " + "; ".join(f"{k} {v}" for k, v in EXIT_CODES.items()) + ".",
)

reasons_app = typer.Typer(
    help="Check how people's own words become reasons: sample, label, score.",
    no_args_is_help=True,
)
app.add_typer(reasons_app, name="reasons")

_PIPE_WIDTH = 300
"""Where nobody's terminal sets a width."""
_CELL_WIDTH = 32
_PROSE_WIDTH = 100
"""Longer lines are hard to read, however wide the terminal."""

Parameters = ParamSpec("Parameters")
HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="The deployment's folder. [env: OPTOUT_HOME]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


def main() -> None:
    """Run the command line."""
    app()


def _console(*, is_error: bool = False) -> Console:
    stream = sys.stderr if is_error else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False)


def _leave(code: int, text: str) -> typer.Exit:
    _console(is_error=True).print(escape(text))
    return typer.Exit(code)


def _explained(
    command: Callable[Parameters, None],
) -> Callable[Parameters, None]:
    """Turn the errors a person can mend into advice and the right exit code."""

    @wraps(command)
    def wrapped(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        from pydantic import ValidationError

        from dagster_project.comments import CommentsError
        from dagster_project.configuration import ConfigurationError
        from dagster_project.contact import ContactError
        from dagster_project.landing.identity import KeyMissingError
        from dagster_project.landing.intake import InboxError
        from dagster_project.landing.land import NoSuchFileError, NothingToDoError
        from dagster_project.landing.reader import RefusedError
        from dagster_project.mapping.model import MappingError
        from dagster_project.private import PrivateFileError
        from dagster_project.segments import SegmentError
        from dagster_project.warehouse import HomeBusyError

        try:
            command(*args, **kwargs)
        except HomeBusyError as busy:
            raise _leave(5, str(busy)) from None
        except (
            CommentsError,
            ConfigurationError,
            ContactError,
            InboxError,
            KeyMissingError,
            MappingError,
            NoSuchFileError,
            NothingToDoError,
            PrivateFileError,
            RefusedError,
            SegmentError,
        ) as advice:
            raise _leave(2, str(advice)) from None
        except ValidationError as error:
            listed = error.errors(include_input=False, include_url=False)
            told = "; ".join(f"{entry['loc'][0]}: {entry['msg']}" for entry in listed)
            raise _leave(2, told) from None

    return wrapped


def _settings(home: Path | None = None, **given: Any) -> Settings:
    known = {key: value for key, value in given.items() if value is not None}
    if home is not None:
        known["home"] = home
    return Settings(**known)


@app.command()
@_explained
def run(
    inbox: Annotated[
        str | None,
        typer.Option(help="Folder or URL with exports. [env: OPTOUT_INBOX]"),
    ] = None,
    home: HomeOption = None,
    now: Annotated[
        str | None,
        typer.Option(
            metavar="ISO8601",
            help="Judge maturity and ages at this moment; UTC unless it says.",
        ),
    ] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Build every model from scratch.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Land, build, gate, publish, report; then tell what hurt and what to do."""
    from dagster_project.running import run_pipeline

    settings = _settings(home, inbox=inbox, now=now, full_refresh=full_refresh or None)
    _finish(run_pipeline(settings, _reporter(as_json)), as_json)


@app.command()
@_explained
def rebuild(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Landing and warehouse again from the archive; the marts come out equal."""
    from dagster_project.running import rebuild_everything

    _finish(rebuild_everything(_settings(home), _reporter(as_json)), as_json)


@app.command()
@_explained
def withdraw(
    file: Annotated[
        str, typer.Argument(help="Load number or file name, see `optout files`.")
    ],
    home: HomeOption = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Land a withdrawn file again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Undo one landed file as if it had never come, and publish without it."""
    from dagster_project.running import withdraw_file

    outcome = withdraw_file(_settings(home), file, _reporter(as_json), undo=undo)
    _finish(outcome, as_json)


@app.command()
@_explained
def check(
    home: HomeOption = None,
    docs: Annotated[
        bool, typer.Option("--docs", help="Also write the checks as a page.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask the gate again about the facts as they are, and reconcile; builds nothing."""
    from dagster_project import quality
    from dagster_project.warehouse import hold

    place = _settings(home).at
    if not place.warehouse.exists():
        raise _leave(
            2, f"Nothing to check: {place.warehouse} is missing. `optout run`."
        )
    with hold(place):
        checked = quality.check(place)
        page = _data_docs(place) if docs else None
    if as_json:
        _print_json(checked.summary() | {"page": page})
    else:
        for outcome in checked.outcomes:
            word = "passed" if outcome.is_passed else "STOPS THE MARTS"
            _say(f"{outcome.suite}: {outcome.evaluated} expectations, {word}")
            for finding in outcome.findings:
                _say(f"  {finding.severity}: {finding}")
        _show(checked.reconciliation, False, f"Checks  {page}" if page else "")
    raise typer.Exit(0 if checked.is_passed else 3)


@app.command()
def demo(
    directory: Annotated[Path, typer.Argument(help="Where the exports go.")],
    seed: Annotated[int, typer.Option(help="Another year for another seed.")] = 7,
    home: HomeOption = None,
) -> None:
    """Write a believable year of exports with planted stories.

    A home in which nothing landed also gets its accounts.yaml and changes.yaml.
    """
    from dagster_project.demo import write_demo

    if directory.exists() and any(directory.iterdir()):
        raise _leave(2, f"{directory} is not empty. Name a new folder.")
    summary = write_demo(directory, seed=seed, home=_settings(home).at)
    _say(f"{directory}: {summary.file_count} exports of a year.")
    for path in summary.configuration:
        _say(f"{path}: what the company knows of it, and no export.")


@app.command()
@_explained
def sources(
    name: Annotated[
        str | None, typer.Argument(help="One source, to see it in full.")
    ] = None,
    schema: Annotated[
        bool,
        typer.Option("--schema", help="The JSON Schema of source.yaml, for an editor."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List the mappings and what each covers, or one of them in full."""
    from dagster_project import listing
    from dagster_project.mapping.model import load_sources

    if schema:
        from dagster_project.mapping.schema import source_schema
        from dagster_project.mapping.vocabulary import vocabularies
        from dagster_project.settings import SEEDS

        _print_json(source_schema(vocabularies(SEEDS)))
        return
    known = load_sources(SOURCES)
    if name is not None:
        source = listing.source_named(known, name)
        if as_json:
            _print_json(listing.described(source))
        else:
            _show_lines(listing.source_lines(source))
        return
    if as_json:
        _print_json([listing.described(source) for source in known.values()])
        return
    advice = "`optout sources NAME` tells all about one. Drop exports under"
    _show(listing.source_rows(known), False, f"{advice} <inbox>/<source>/[<account>/].")


@app.command()
@_explained
def inspect(
    file: Annotated[Path, typer.Argument(help="An export, wherever it lies.")],
    source: Annotated[
        str | None,
        typer.Option(help="Read it as this source's; its draft counts as it stands."),
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="Whose settings in accounts.yaml count.")
    ] = None,
    rows: Annotated[int, typer.Option(min=0, help="Canonical rows to show.")] = 3,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what would become of one file, and leave nothing behind."""
    from dagster_project import inspection

    found = inspection.inspect_file(
        file, _settings(home), source=source, account=account, rows=rows
    )
    if as_json:
        _print_json([judged.summary() for judged in found])
    else:
        for number, judged in enumerate(found):
            if number:
                _say("")
            _show_lines(inspection.lines_of(judged))
            _show_preview(judged.rows)
    is_refused = any(judged.is_refused for judged in found)
    raise typer.Exit(4 if is_refused else 0)


@app.command("new-source")
@_explained
def new_source(
    name: Annotated[str, typer.Argument(help="Lower case letters, digits and _.")],
    example: Annotated[
        Path | None, typer.Option("--from", help="An export to draft from.")
    ] = None,
) -> None:
    """Begin a source: its folder with a drafted mapping, a sample, what to expect."""
    from dagster_project.mapping.document import guesses
    from dagster_project.scaffold import new_source as write_draft

    written = write_draft(name, example)
    for path in written:
        _say(str(path))
    count = len(guesses(written[0].read_text(encoding="utf-8")))
    file = example or "FILE"
    _say(
        f"{count} guesses to confirm: check each line marked !confirm, then remove the"
        f" tag. `optout inspect {file} --source {name}` shows what the mapping gives."
    )


_FILE_COLUMNS = {
    "load": "load",
    "state": "state",
    "source": "source",
    "account": "account",
    "export": "export",
    "file_name": "file",
    "record_count": "read",
    "loaded_count": "loaded",
    "duplicate_count": "duplicate",
    "rejected_count": "rejected",
    "skipped_count": "skipped",
    "refusal_detail": "why",
}


@app.command()
@_explained
def files(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Every file ever judged: state, counts and, when refused, the reason."""
    from dagster_project.landing.ledger import Ledger

    rows = [
        load.model_dump(mode="json", exclude={"arrival"})
        | {"file_name": load.file_name}
        for load in Ledger(_settings(home).at)
    ]
    if as_json:
        _print_json(rows)
        return
    shown = [
        {title: row[name] for name, title in _FILE_COLUMNS.items()} for row in rows
    ]
    _show(shown, False, "`optout rejects FILE` lists rejected records.")


@app.command()
@_explained
def rejects(
    file: Annotated[
        str | None, typer.Argument(help="Load number or part of a file's name.")
    ] = None,
    home: HomeOption = None,
    show_values: Annotated[
        bool,
        typer.Option(
            "--show-values", help="Also print the records, read from the archive."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Rejected records: line, column, reason, what was expected."""
    from dagster_project.landing.rejects import rejected_records

    rows = rejected_records(_settings(home), file, show_values=show_values)
    _show(rows, as_json, "No record was rejected." if not rows else "")


_CONTACT_PARTS = {
    "lists": "Lists",
    "opt_outs": "Opt-outs",
    "complaints": "Complaints",
    "verdicts": "Verdicts on the address",
    "sends": "Mail, newest first",
}
_SHOWN_SENDS = 20


@app.command(context_settings={"allow_extra_args": True})
@_explained
def contact(
    context: typer.Context, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Show one person's lists, opt-outs, complaints and mail; address on stdin."""
    from dagster_project.contact import standing_of

    if context.args:
        raise _leave(
            2,
            "An address given as an argument stays in the shell's history. Give it on"
            " standard input: run `optout contact`, type it, press Enter.",
        )
    if sys.stdin.isatty():
        _console(is_error=True).print("Address, then Enter:")
    found = standing_of(_settings(home), sys.stdin.readline().strip())
    if as_json:
        _print_json(found)
        return
    _say(
        f"Seen from {found['first_seen_at']} to {found['last_seen_at']} (UTC), mailbox"
        f" at {found['mailbox_provider'] or 'an unknown provider'}."
    )
    for part, title in _CONTACT_PARTS.items():
        rows = found[part]
        shown = rows[:_SHOWN_SENDS] if part == "sends" else rows
        _say(f"\n{title}: {len(rows) or 'none'}")
        _show(shown, False, "`--json` tells all." if len(shown) < len(rows) else "")


@app.command("export-segment")
@_explained
def export_segment(
    segment: Annotated[
        str | None, typer.Argument(help="Which people; without it, all are listed.")
    ] = None,
    file: Annotated[
        Path | None, typer.Argument(help="A new file; only you may read it.")
    ] = None,
    mailing_list: Annotated[
        str | None, typer.Option("--list", help="Only who is on this list.")
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(metavar="SOURCE/ACCOUNT", help="Only lists of this account."),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the addresses of a segment for your mail program, or list the segments."""
    from dagster_project import segments

    settings = _settings(home)
    if segment is None:
        rows = segments.segment_counts(settings)
        _show(
            rows if as_json else [_segment_cells(row) for row in rows],
            as_json,
            "`optout export-segment SEGMENT FILE` writes the addresses to a file that"
            " only you may read.",
        )
        return
    if file is None:
        raise _leave(2, f"Name a new file: `optout export-segment {segment} FILE`.")
    exported = segments.export_segment(
        settings, segment, file, mailing_list=mailing_list, account=account
    )
    if as_json:
        _print_json(exported.summary())
        return
    for line in exported.lines():
        _say(line)


def _segment_cells(row: dict[str, Any]) -> dict[str, Any]:
    account = f"{row['source']}/{row['account']}" if row["source"] else None
    return {
        "segment": row["segment"],
        "account": account,
        "list": row["list"],
        "people": row["contact_count"],
        "who": row["label"],
    }


@reasons_app.command("sample")
@_explained
def reasons_sample(
    file: Annotated[
        Path, typer.Argument(help="A new file; only you may read it.")
    ] = Path("reasons-sample.csv"),
    size: Annotated[int, typer.Option(min=1, help="Comments to label.")] = 400,
    seed: Annotated[int, typer.Option(help="Another sample for another seed.")] = 1,
    home: HomeOption = None,
) -> None:
    """Draw comments to label: as many of each rule and language as there are."""
    from dagster_project.comments import write_sample

    count = write_sample(_settings(home), file, size=size, seed=seed)
    _say(
        f"{count} comments in {file}, redacted of addresses, links and numbers; names"
        " may be left. Write the reason of each into the column `label`, without"
        f" looking at `rule`, then `optout reasons score {file}`."
    )


@reasons_app.command("score")
@_explained
def reasons_score(
    file: Annotated[Path, typer.Argument(help="A sample with labels.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell of each rule how often labels agree, and whether that proves it."""
    from dagster_project.reason_scores import score

    scored = score(_settings(home), file)
    if as_json:
        _print_json(scored.summary())
        return
    for rows, advice in scored.tables():
        _show(rows, False, advice)


@reasons_app.command("comments")
@_explained
def reasons_comments(
    campaign_id: Annotated[str, typer.Argument(help="As the exports name it.")],
    file: Annotated[Path, typer.Argument(help="A new file; only you may read it.")],
    source: Annotated[
        str | None, typer.Option(help="Where two sources share the id.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Write what people said who left a campaign, redacted, to a private file."""
    from dagster_project.comments import write_comments

    count = write_comments(_settings(home), campaign_id, file, source=source)
    _say(f"{count} comments in {file}.")


@app.command()
@_explained
def report(
    home: HomeOption = None,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open it in the browser.")
    ] = False,
) -> None:
    """Draw the page again from the published marts."""
    from dagster_project.report import OutdatedMartsError, build_report

    place = _settings(home).at
    _need_marts(place.marts)
    try:
        build_report(place.marts, place.report)
    except OutdatedMartsError as outdated:
        raise _leave(2, str(outdated)) from None
    _console().print(str(place.report))
    if open_page:
        typer.launch(place.report.as_uri())


@app.command()
@_explained
def query(
    sql: Annotated[str, typer.Argument(help="SQL over the published marts.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the published marts, read-only."""
    import duckdb

    from dagster_project.warehouse import published

    place = _settings(home).at
    _need_marts(place.marts)
    with published(place.marts) as connection:
        try:
            answer = connection.execute(sql)
        except duckdb.Error as error:
            raise _leave(2, str(error)) from None
        names = [column[0] for column in answer.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
    _show(rows, as_json, "")


@app.command()
@_explained
def dev(home: HomeOption = None, port: int = 3000) -> None:
    """Open the Dagster UI on this machine only."""
    from dagster_project.dagster_home import prepare
    from dagster_project.settings import PROJECT_ROOT

    settings = _settings(home)
    prepare(settings)
    settings.share(with_clock=False)
    workspace = str(PROJECT_ROOT / "workspace.yaml")
    arguments = ["dev", "-w", workspace, "-h", "127.0.0.1", "-p", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", "dagster", *arguments])


def _data_docs(place: Home) -> Path:
    from dagster_project.data_docs import write_data_docs

    return write_data_docs(place)


def _finish(outcome: Outcome, as_json: bool) -> None:
    """Say what a run came to, and leave with its code."""
    from dagster_project.closing import diagnosed, newest_weeks, print_closing

    if as_json:
        told = {"weeks": newest_weeks(outcome), "diagnoses": diagnosed(outcome)}
        _print_json(outcome.summary() | told)
    else:
        print_closing(outcome, _console())
    raise typer.Exit(outcome.exit_code)


def _say(text: str) -> None:
    _console().print(escape(text), soft_wrap=True)


def _need_marts(path: Path) -> None:
    if not path.exists():
        raise _leave(2, f"Nothing is published yet: {path} is missing. `optout run`.")


def _reporter(as_json: bool) -> Any:
    from dagster_project.reporters import BarReporter, LineReporter

    console = _console(is_error=True)
    bars = console.is_terminal and not as_json
    return BarReporter(console) if bars else LineReporter(console)


def _show(rows: Sequence[dict[str, Any]], as_json: bool, advice: str) -> None:
    if as_json:
        _print_json(rows)
        return
    console = _console()
    if rows:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in rows[0]:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(_cell(value) for value in row.values()))
        console.print(table)
    if advice:
        console.print(escape(advice))


def _show_lines(lines: Sequence[tuple[str, str]]) -> None:
    """Labelled texts under headings, to be read."""
    console = _console()
    labels = max(len(label) for label, _ in lines)
    width = min(console.width, _PROSE_WIDTH) - labels - 2
    for place, (label, text) in enumerate(lines):
        if not label:
            heading = f"[bold]{escape(text)}[/]"
            console.print(f"\n{heading}" if place else heading)
            continue
        for number, line in enumerate(textwrap.wrap(text, width)):
            shown = "" if number else label
            console.print(f"[dim]{escape(shown):{labels}}[/]  {escape(line)}")


def _show_preview(rows: Sequence[dict[str, Any]]) -> None:
    """Few rows of many columns: a column a line."""
    if not rows:
        return
    console = _console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("column")
    for row in rows:
        table.add_column(f"record {row['record']}", overflow="fold")
    for name in rows[0]:
        if name != "record":
            table.add_row(name, *(_cell(_cut(row[name])) for row in rows))
    console.print()
    console.print(table)


def _cut(value: Any) -> Any:
    is_long = isinstance(value, str) and len(value) > _CELL_WIDTH
    return f"{value[: _CELL_WIDTH - 3]}..." if is_long else value


def _cell(value: Any) -> str:
    return "" if value is None else escape(str(value))


def _print_json(value: Iterable[Any] | dict[str, Any]) -> None:
    def plain(entry: Any) -> Any:
        is_moment = isinstance(entry, date | datetime)
        return entry.isoformat() if is_moment else str(entry)

    typer.echo(json.dumps(value, indent=1, default=plain))
