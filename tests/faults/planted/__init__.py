"""Mistakes planted on purpose: a campaign that does not notice them proves nothing.

``bug`` says what one is and plants it in a copy of the tree; ``intake``, ``sending``, ``numbers`` and ``machines`` list
them; ``hunt`` runs the campaign on each copy and says which were caught.
"""
