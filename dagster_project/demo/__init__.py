"""A believable year of exports of one fictional company, with planted stories.

Each module knows only those before it: ``stories`` (what is true), ``world`` (the state
of the year), ``reasons``, ``people`` (who is on which list), ``mail`` (what every mail
meets), ``records`` (what systems know of it), ``configuration`` (what only the company
knows), ``exports`` (who exports what, and when).
"""

from dagster_project.demo.exports import DemoSummary, write_demo
from dagster_project.demo.stories import STORIES

__all__ = ["STORIES", "DemoSummary", "write_demo"]
