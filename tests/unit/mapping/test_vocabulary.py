"""One closed list of words for Python and SQL, read from the dbt seeds."""

from __future__ import annotations

import pytest

from dagster_project.mapping.canonical import FIELDS, LANDING_TABLES, table_columns
from dagster_project.mapping.vocabulary import mailbox_providers, vocabularies
from dagster_project.settings import SEEDS


@pytest.mark.parametrize(
    ("name", "fallback"),
    [
        ("event_types", "other"),
        ("bounce_classes", "unknown"),
        ("drop_reasons", "other"),
        ("opt_out_scopes", "unknown"),
        ("opt_out_method_words", "unknown"),
        ("opt_out_reason_words", "unmapped"),
        ("validation_reasons", "unmapped"),
        ("validation_statuses", "unknown"),
        ("contact_statuses", None),
        ("send_types", None),
    ],
)
def test_an_unknown_word_becomes_the_lists_own_word_for_it(
    name: str, fallback: str | None
) -> None:
    assert vocabularies(SEEDS)[name].fallback == fallback


def test_every_word_stands_once_and_in_lower_case() -> None:
    for vocabulary in vocabularies(SEEDS).values():
        words = vocabulary.words
        assert len(set(words)) == len(words) > 1, vocabulary.name
        assert [word.lower().strip() for word in words] == list(words)


def test_every_column_of_words_has_its_list() -> None:
    named = {column.words for table in FIELDS.values() for column in table}
    assert named - {None} <= set(vocabularies(SEEDS))


def test_providers_are_known_by_domains_in_lower_case() -> None:
    providers = mailbox_providers(SEEDS)
    assert providers["gmail.com"] == "gmail"
    assert all(domain == domain.lower() for domain in providers)


def test_no_table_names_a_column_twice() -> None:
    for table in LANDING_TABLES:
        names = [column.name for column in table_columns(table)]
        assert len(set(names)) == len(names)


def test_a_name_that_is_no_table_is_an_error() -> None:
    with pytest.raises(KeyError):
        table_columns("events")
