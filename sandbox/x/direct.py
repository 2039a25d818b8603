"""Direct messages: sending them where X allows it, and reading what came in during 30 days.

Source: https://docs.x.com/x-api/direct-messages/manage/introduction, .../lookup/introduction, and who may be written
to automatically: https://help.x.com/en/rules-and-policies/x-automation
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sandbox.seam import Post
from sandbox.x.fields import View
from sandbox.x.media import Library
from sandbox.x.pages import before_token, newest_first, token_after
from sandbox.x.problems import Refusal, forbidden, invalid
from sandbox.x.query import Answer, Call, Query, read_id, read_json
from sandbox.x.records import Dm
from sandbox.x.site import Site
from sandbox.x.vocabulary import DM_EXPANSIONS, DM_QUERY

LENGTH = 10_000
HISTORY = timedelta(days=30)
DIRECT = "direct"


class Direct:
    """The calls that write and read direct messages."""

    def __init__(self, site: Site, library: Library) -> None:
        self._site = site
        self._library = library

    def send(self, call: Call) -> Answer:
        person = read_id(call.path["participant_id"], "participant_id")
        body = read_json(call, self._site.rules, frozenset({"text", "attachments"}))
        text = self._text(body)
        media_key = self._attachment(call, body)
        self._may_write(call.caller.app.member.id, person)
        app = call.caller.app
        dm = self._site.network.message(app.member.id, person, text, from_brand=True, media_key=media_key)
        self._site.bills[app.account].write("dm.create")
        self._site.watcher(
            Post(
                platform="x",
                account=app.account,
                place=DIRECT,
                to=str(person),
                id=str(dm.id),
                text=text,
                at=dm.created_at,
                raw=dict(body),
            )
        )
        return Answer({"data": {"dm_conversation_id": dm.conversation_id, "dm_event_id": str(dm.id)}}, 201)

    def _text(self, body: Mapping[str, Any]) -> str:
        text = body.get("text", "")
        if not isinstance(text, str):
            raise invalid("$.text: must be a string")
        if not text and ("text" in body or "attachments" not in body) and self._site.rules.on("x.dm.empty"):
            raise invalid("$.text: must be at least 1 characters long")
        if len(text) > LENGTH and self._site.rules.on("x.dm.length"):
            raise invalid(f"$.text: must be at most {LENGTH} characters long")
        return text

    def _attachment(self, call: Call, body: Mapping[str, Any]) -> str | None:
        if "attachments" not in body:
            return None
        items = body["attachments"]
        ids = [item.get("media_id") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        keys = [self._library.key(call.caller.app.account, str(item), "dm_") for item in ids]
        if (len(ids) != 1 or None in keys) and self._site.rules.on("x.dm.attachments"):
            raise invalid("$.attachments: there must be one, with a media_id that was uploaded for messages")
        return keys[0] if keys else None

    def _may_write(self, brand: int, person: int) -> None:
        """Only to whom wrote first, who has not blocked the brand, and once for each message of theirs."""
        network, rules = self._site.network, self._site.rules
        conversation = network.conversation(brand, person)
        refused = _no_permission()
        if person not in network.members or person == brand:
            raise refused
        if (brand, person) in network.blocks and rules.on("x.dm.blocked"):
            raise refused
        if conversation.received == 0 and rules.on("x.dm.first"):
            raise refused
        if conversation.received and conversation.sent >= conversation.received and rules.on("x.dm.once"):
            raise forbidden("This request looks like it might be automated: one automated message per interaction.")

    def events(self, call: Call) -> Answer:
        """All conversations of the brand."""
        return self._page(call, "dm_events", self._site.network.inboxes.get(call.caller.app.member.id, []))

    def events_with(self, call: Call) -> Answer:
        """The conversation with one person."""
        person = read_id(call.path["participant_id"], "participant_id")
        conversation = self._site.network.conversations.get((call.caller.app.member.id, person))
        return self._page(call, f"dm_events:{person}", conversation.events if conversation else [])

    def _page(self, call: Call, kind: str, events: Sequence[Dm]) -> Answer:
        rules = self._site.rules
        query = Query(call, rules, DM_QUERY, DM_EXPANSIONS)
        most = query.number("max_results", 1, 100, 100, "x.dm.page")
        view = View(self._site.network, rules, query)
        kinds = query.words("event_types")
        scope = f"{kind}:{call.caller.app.member.id}"
        oldest = self._site.clocks.now() - HISTORY
        found, more = newest_first(
            events,
            lambda dm: dm.id,
            low=bisect_left(events, oldest, key=lambda dm: dm.created_at) if rules.on("x.dm.history") else 0,
            below=before_token(scope, query.text("pagination_token"), rules),
            most=most,
            keep=lambda dm: not kinds or "MessageCreate" in kinds,
        )
        shown = [view.dm(dm) for dm in found]
        bill, today = self._site.bills[call.caller.app.account], self._site.clocks.now().date()
        bill.read(today, "dm.read", [dm.id for dm in found])
        bill.read(today, "user.read", view.expanded_users)
        meta: dict[str, Any] = {"result_count": len(shown)}
        if more:
            meta["next_token"] = token_after(scope, found[-1].id)
        return Answer({**({"data": shown} if shown else {}), **view.includes(), "meta": meta})


def _no_permission() -> Refusal:
    return forbidden("You do not have permission to DM one or more participants.")
