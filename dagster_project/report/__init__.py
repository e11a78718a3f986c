"""Marts to one HTML page that people read: offline, and the same for the same marts.

Read in this order: ``rows`` and ``queries`` (what is read of the marts), ``findings``
and ``trusted`` (what follows for more than one chapter), ``words`` and ``charts`` (how
numbers are said and drawn), ``chapters`` (one module and one template each), ``page``
(the whole).
Nothing here decides a rate, an interval or a band: the marts do.
"""

from dagster_project.report.page import build_report
from dagster_project.report.queries import OutdatedMartsError

__all__ = ["OutdatedMartsError", "build_report"]
