"""Time and memory of the whole pipeline beside a hand-written floor: `make bench`.

Nothing here is part of the product. `README.md` says what is measured and how to read
the figures; `generator.py` makes the events, `floor.py` is the least work that gives
the same numbers, `equality.py` proves that they are the same.
"""
