"""How each schema becomes the next: ``to_N`` has one function that takes schema N-1 to N. ``migrate`` runs them.

A step writes out what it makes, since the models go on. A new column has a default of the database's own.
"""
