"""How the properties of core are tried: without a deadline, since how busy the machine is says nothing about them."""

from hypothesis import settings

settings.register_profile("core", deadline=None)
settings.load_profile("core")
