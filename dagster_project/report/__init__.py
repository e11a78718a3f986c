"""Marts to one HTML page that people read: offline, and the same for the same marts.

Read in this order: ``queries`` (rows of the marts), ``findings`` and ``trust`` (what
follows from them), ``words`` and ``charts`` (how it is said and drawn), ``page`` (the
whole).
Nothing here decides a rate, an interval or a band: the marts do.
"""

from dagster_project.report.page import build_report
from dagster_project.report.queries import OutdatedMartsError

__all__ = ["OutdatedMartsError", "build_report"]
