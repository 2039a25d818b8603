"""Every limit, expiry and error that the stand-in enforces, by name, with where Discord says so."""

RULES: dict[str, str] = {}
