"""Rows of the published marts, as the page needs them.

One class a mart, its fields the columns that are read. A column that is NULL stays None
all the way to the page, where it is said to be unknown.
"""
