"""What the product costs and how often it is right: `make bench`.

Nothing here is part of the product. `README.md` says what is measured and how to read
the figures. Costs: `generator.py` makes the events, `floor.py` is the least work that
gives the same numbers, `equality.py` proves that they are the same; `judging.py` times
the models. Truth: `worlds.py` draws it, `simulation.py` asks the models, `rivals.py`
are the rules that others use, `shipped.py` runs compiled models on drawn tables.
"""
