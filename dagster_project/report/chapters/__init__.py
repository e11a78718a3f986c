"""The chapters of the page, one module each.

A chapter reads rows, draws into ``figures`` and returns what its template shows; what
depends on data is said in words here and not in the template.
"""

MONTHS = 24
"""Months shown of a history."""

LISTS = 12
"""Lists, or accounts, shown of a chapter."""
