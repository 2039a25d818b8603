"""The store: one database, one writer. All SQL of Vouch is in this package.

``database`` opens it and owns the writer thread; ``inbox`` keeps what arrives; ``outbox`` keeps what is said;
``asks`` knows waves, asks and persons; ``tallies`` reads the numbers.
"""
