"""Op 8: a bot asks for members of its guild, by id, by the start of their name, or all of them.

Source: https://discord.com/developers/docs/events/gateway-events#request-guild-members
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from sandbox.discord.model import Application, Json, Person
from sandbox.discord.payload import encode, member_json
from sandbox.discord.session import GUILD_MEMBERS, Session

if TYPE_CHECKING:
    from sandbox.discord.gateway import Gateway

CHUNK = 1000
ALL_MEMBERS_S = 30.0
"""Everybody may be asked for once in so many seconds (wire)."""


class Members:
    """The chunk is numbered like any event, so it comes after all that happened before the question."""

    def __init__(self, gateway: Gateway, application: Application, session: Session) -> None:
        self.gateway, self.state = gateway, gateway.state
        self.application, self.session = application, session

    def ask(self, body: Any) -> None:
        guild = self.application.guild
        if not isinstance(body, dict) or str(body.get("guild_id")) != str(guild.id):
            return
        nonce = body.get("nonce")
        nonce = nonce if isinstance(nonce, str) and len(nonce.encode()) <= 32 else None
        if body.get("user_ids") is not None:
            wanted = body["user_ids"] if isinstance(body["user_ids"], list) else [body["user_ids"]]
            enforced = self.state.rules.on("discord.gateway.members.ids")
            self._by_id([str(number) for number in wanted[: 100 if enforced else None]], nonce)
            return
        query, limit = str(body.get("query") or "").lower(), body.get("limit") or 0
        if not isinstance(limit, int):
            return
        if not query and not limit:
            self._everybody(nonce)
            return
        named = (person for person in self._people() if person.name.lower().startswith(query))
        self._chunks(list(islice(named, min(limit or 100, 100))), [], nonce)

    def _people(self) -> list[Person]:
        guild = self.application.guild
        rest = (person for person in self.state.people.values() if person.id not in guild.left)
        return [self.application.bot, guild.owner, *rest]

    def _by_id(self, wanted: list[str], nonce: str | None) -> None:
        guild = self.application.guild
        found: list[Person] = []
        missing: list[str] = []
        for number in wanted:
            person = self.state.member(guild, int(number)) if number.isdecimal() else None
            if person is None:
                missing.append(number)
            else:
                found.append(person)
        self._chunks(found, missing, nonce)

    def _everybody(self, nonce: str | None) -> None:
        if not self.session.intents & GUILD_MEMBERS and self.state.rules.on("discord.gateway.members.intent"):
            return
        key, now = (self.application.id, self.application.guild.id), self.state.clocks.wire()
        left_s = self.gateway.asked_all.get(key, -ALL_MEMBERS_S) + ALL_MEMBERS_S - now
        if left_s > 0 and self.state.rules.on("discord.gateway.members.all"):
            meta = {"guild_id": str(self.application.guild.id), "nonce": nonce}
            limited: Json = {"opcode": 8, "retry_after": round(left_s, 3), "meta": meta}
            self.session.dispatch("RATE_LIMITED", encode(limited))
            return
        self.gateway.asked_all[key] = now
        self._chunks(self._people(), [], nonce)

    def _chunks(self, people: list[Person], missing: list[str], nonce: str | None) -> None:
        guild = self.application.guild
        parts = [people[at : at + CHUNK] for at in range(0, len(people), CHUNK)] or [[]]
        for index, part in enumerate(parts):
            data: Json = {
                "guild_id": str(guild.id),
                "members": [member_json(guild, person) for person in part],
                "chunk_index": index,
                "chunk_count": len(parts),
            }
            if missing:
                data["not_found"] = missing
            if nonce is not None:
                data["nonce"] = nonce
            self.session.dispatch("GUILD_MEMBERS_CHUNK", encode(data))
