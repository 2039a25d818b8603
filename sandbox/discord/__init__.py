"""Discord's stand-in: REST v10, the gateway, and the people on the other side.

``stand_in`` is the way in; ``rest`` and ``routes_*`` speak HTTP, ``gateway`` and ``session`` the WebSocket; ``state``
holds what exists, ``messages``, ``polls`` and ``interactions`` what happens to it; ``forms``, ``components`` and
``limits`` refuse what Discord refuses.
"""

from sandbox.discord.rules import RULES
from sandbox.discord.stand_in import DiscordStandIn

__all__ = ["RULES", "DiscordStandIn"]
