"""What the company knows and no export says: ``accounts.yaml`` and ``changes.yaml``.

They are written into a home that has neither, and never in the place of an owner's.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from dagster_project.demo import stories
from dagster_project.settings import Home

ACCOUNTS = """\
# Written by `optout demo`: what no export of the demo year says.
accounts:
  mailchimp:
    newsletter:
      # The first rule that matches names what a campaign is about.
      content_categories:
        - { category: trade, subject: 'retailers|minimum order' }
        - { category: product, name: '^Product news' }
        - { category: promotion, subject: '[0-9]+ % off' }
        - { category: editorial, name: '.' }
  # Their exports tell moments with a zone; it is named so that hours can be judged.
  amazon_ses:
    shop: { timezone: Europe/Copenhagen }
  generic:
    crm: { timezone: Europe/Copenhagen }
"""
CHANGES = """\
# Written by `optout demo`: what the company changed in the demo year, and when.
changes:
  - date: {preference_centre}
    kind: preference_center
    stream: Newsletter
    compare_with: [shop-offers] # weekly too, and nothing changed for them that winter
    note: Readers choose their topics
  - date: {frequency}
    kind: frequency
    stream: shop-offers
    note: Twice a week instead of once
"""


def write_configuration(home: Home, today: date) -> tuple[Path, ...]:
    """Write both files into a home in which nothing landed yet; keep those it has.

    Args:
        home: made when missing.
        today: the last day of the demo year.
    """
    if any(home.landing.glob("load=*/load.json")):
        return ()
    home.make()
    first = today - timedelta(days=stories.YEAR_DAYS - 1)
    changes = CHANGES.format(
        preference_centre=first + timedelta(days=stories.PREFERENCE_CENTRE_DAY),
        frequency=first + timedelta(days=stories.CLIMBING_DAYS[0]),
    )
    texts = {"accounts.yaml": ACCOUNTS, "changes.yaml": changes}
    missing = {
        home.config / name: text
        for name, text in texts.items()
        if not (home.config / name).exists()
    }
    for path, text in missing.items():
        path.write_text(text, encoding="utf-8")
    return tuple(missing)
