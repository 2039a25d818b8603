"""Mistakes on the way in: something is confirmed that is not kept, or not read that the platform still has."""

from __future__ import annotations

from tests.faults.planted.bug import Bug, Change

_STREAM = "bots/telegram/stream.py"
_DELIVER = "        answers = await deliver(batch.events) if batch.events else ()\n"

BUGS = (
    Bug(
        name="confirm-before-commit",
        story="Deliver in the background, to fetch the next batch sooner: the next getUpdates confirms what a kill loses.",
        changes=(
            Change(
                file=_STREAM,
                old=_DELIVER,
                new="        asyncio.ensure_future(deliver(batch.events))\n"
                "        answers = tuple(Answer() for _ in batch.events)\n",
            ),
        ),
        scenarios=("kills",),
        shows=("lost", "violations"),
        kills=6,
        platform="telegram",
    ),
    Bug(
        name="swallow-store-errors",
        story="Log a batch that could not be kept and go on, so that the stream survives: it is confirmed all the same.",
        changes=(
            Change(
                file=_STREAM,
                old=_DELIVER,
                new="        try:\n"
                "            answers = await deliver(batch.events) if batch.events else ()\n"
                "        except StoreError as error:\n"
                '            log.error("%s: not kept: %s", self._name, error)\n'
                "            answers = tuple(Answer() for _ in batch.events)\n",
            ),
        ),
        scenarios=("disk-full",),
        shows=("lost", "violations"),
        kills=6,
    ),
    Bug(
        name="no-event-id",
        story="What comes is new: no event is known again by its id, and what is answered to it has a key of its own.",
        changes=(
            Change(
                file="core/store/arrived.py",
                old="    return found\n\n\ndef asks_of(",
                new="    return set()\n\n\ndef asks_of(",
            ),
            Change(
                file="core/store/answers.py",
                old='{person.account}/{to}:0"\n',
                new='{person.account}/{to}.{len(self._planned)}{id(self)}:0"\n',
            ),
        ),
        scenarios=("kills",),
        shows=("doubled",),
        kills=36,
        window="committed-confirmed",
        platform="telegram",
    ),
    Bug(
        name="cursor-before-events",
        story="Save how far X was read, then keep its items one by one: a kill between them skips the rest for ever.",
        changes=(
            Change(
                file="bots/x/paged.py",
                old="            await deliver([*events, Cursor(name=self.name, value=str(progress))])\n",
                new="            await deliver([Cursor(name=self.name, value=str(progress))])\n"
                "            for event in events:\n"
                "                await deliver([event])\n",
            ),
        ),
        scenarios=("kills",),
        shows=("lost",),
        kills=12,
        platform="x",
        window="received-committed",
    ),
    Bug(
        name="thank-before-keeping",
        story="Answer a tap at once, so that three seconds always suffice: people are thanked for what is then lost.",
        changes=(
            Change(
                file="bots/discord/stream.py",
                old="            self.intake.put((reply,), self._answers.owe(asked))\n",
                new='            self._answers.owe(asked)([Answer(toast="Thank you!")])\n'
                "            self.intake.put((reply,))\n",
            ),
            Change(
                file="bots/discord/stream.py",
                old="from core.account import Deliver, Forms\n",
                new="from core.account import Answer, Deliver, Forms\n",
            ),
        ),
        scenarios=("kills",),
        shows=("lost", "violations"),
        kills=6,
        platform="discord",
    ),
    Bug(
        name="taps-in-servers-only",
        story="Leave taps alone that come without a server: those under direct messages are never answered.",
        changes=(
            Change(
                file="bots/discord/stream.py",
                old="        reply = read.interaction(data, order=self._order())\n        if reply is None:\n",
                new="        reply = read.interaction(data, order=self._order())\n"
                '        if reply is None or "guild_id" not in data:\n',
            ),
        ),
        scenarios=("kills", "peace"),
        shows=("lost",),
        kills=6,
        platform="discord",
    ),
    Bug(
        name="one-tap-a-button",
        story="Take a second tap on a button for a repetition: Discord is told that we are at it, and nobody is.",
        changes=(
            Change(
                file="bots/discord/stream.py",
                old="            self.intake.put((reply,), self._answers.owe(asked))\n",
                new="            then, tapped = self._answers.owe(asked), self.__dict__.setdefault('tapped', set())\n"
                "            if reply.token not in tapped:\n"
                "                tapped.add(reply.token)\n"
                "                self.intake.put((reply,), then)\n",
            ),
        ),
        scenarios=("kills", "peace"),
        shows=("lost",),
        kills=6,
        platform="discord",
    ),
    Bug(
        name="sequence-ahead",
        story="Keep the gateway's last sequence, not the last one below which all is kept: a resume skips what was not.",
        changes=(
            Change(
                file="bots/discord/intake.py",
                old="        reach = self.newest if last is None else Spot(last.spot.session, last.spot.sequence - 1)\n",
                new="        reach = self.newest\n",
            ),
        ),
        scenarios=("disk-full",),
        shows=("lost",),
        kills=36,
        platform="discord",
        window="received-committed",
    ),
    Bug(
        name="one-page-of-voters",
        story="Ask for a poll's voters with the default limit and take one page for all of them.",
        changes=(
            Change(
                file="bots/discord/send.py",
                old="                if len(people) < _PAGE:\n",
                new="                if len(people) <= _PAGE:\n",
            ),
            Change(file="bots/discord/send.py", old="_PAGE = 100\n", new="_PAGE = 2\n"),
        ),
        scenarios=("gateway",),
        shows=("lost",),
        kills=8,
        platform="discord",
    ),
    Bug(
        name="snapshot-over-words",
        story="A poll's list of voters is the platform's truth, so it wins: who wrote another score later is overruled.",
        changes=(
            Change(
                file="core/store/voters.py",
                old="    by_another_way = kept.band is not None and kept.ask_id != ask.id\n",
                new="    by_another_way = False\n",
            ),
            Change(
                file="core/store/voters.py",
                old='    return kept.band != band and not by_another_way and kept.via in ("", str(Via.VOTE))\n',
                new="    return kept.band != band and not by_another_way\n",
            ),
        ),
        scenarios=("kills",),
        shows=("lost",),
        kills=10,
        platform="discord",
    ),
    Bug(
        name="retractions-ignored",
        story="The order is compared the wrong way round: who takes a vote back later is counted for ever.",
        changes=(
            Change(
                file="core/store/responses.py",
                old="        if kept is None or kept.band is None or kept.ask_id != ask_id or kept.via != via or ord < kept.ord:\n",
                new="        if kept is None or kept.band is None or kept.ask_id != ask_id or kept.via != via or ord > kept.ord:\n",
            ),
        ),
        scenarios=("kills",),
        shows=("lost", "doubled"),
        kills=16,
        followers=600,
    ),
    Bug(
        name="malformed-ends-the-batch",
        story="One try around the whole batch: an update that cannot be read takes its neighbours with it.",
        changes=(
            Change(
                file="bots/telegram/batch.py",
                old='                log.warning("%s: a malformed update was set aside: %s", self._name, type(error).__name__)\n'
                "                continue\n",
                new='                log.warning("%s: a malformed update was set aside: %s", self._name, type(error).__name__)\n'
                "                events.clear()\n"
                "                taps.clear()\n"
                "                ids.update(_id(one) for one in raw if isinstance(one, dict))\n"
                "                break\n",
            ),
        ),
        scenarios=("stream",),
        shows=("lost", "violations"),
        kills=10,
        platform="telegram",
    ),
    Bug(
        name="history-not-read",
        story="Trust the gateway to bring every direct message: what came between two sessions is never read.",
        changes=(
            Change(
                file="bots/discord/stream.py",
                old="        self.history.new_session()\n        self._begin_to_look_back(session)\n",
                new="        self._begin_to_look_back(session)\n",
            ),
        ),
        scenarios=("gateway",),
        shows=("lost",),
        kills=24,
        platform="discord",
    ),
)
