"""Mistakes on the way out: something is said twice, to whom it must not be, or never."""

from __future__ import annotations

from tests.faults.planted.bug import Bug, Change

_SCENARIOS = ("kills", "lost-answers")
_TWICE = ("doubled", "asked_twice", "reports_doubled", "violations")

BUGS = (
    Bug(
        name="retry-on-timeout",
        story="A request that timed out failed, so try again: the platform had taken it.",
        changes=(
            Change(
                file="core/outcomes.py",
                old="        case _ if begun:\n            return lambda connection: outbox.unknown(connection, thing, text, now)\n",
                new="        case _ if begun:\n            return later(1.0)\n",
            ),
        ),
        scenarios=("lost-answers",),
        shows=_TWICE,
        kills=10,
    ),
    Bug(
        name="resend-what-was-being-sent",
        story="After a crash whatever was being sent is sent again.",
        changes=(
            Change(
                file="core/store/outbox.py",
                old='connection, left, state=str(State.UNKNOWN), settled_at=now, error="stopped while it was being sent")\n',
                new='connection, left, state=str(State.PLANNED), settled_at=None, error="")\n',
            ),
        ),
        scenarios=("kills",),
        shows=_TWICE,
        kills=12,
        window="sent-recorded",
    ),
    Bug(
        name="begin-leaves-no-trace",
        story="Claimed is as good as sending: after a crash nobody knows which requests may have left.",
        changes=(
            Change(
                file="core/store/claims.py",
                old="beginning = update(_OUTBOX).where(*its, _WELCOME, in_time).values(state=str(State.SENDING))\n",
                new="beginning = update(_OUTBOX).where(*its, _WELCOME, in_time).values(state=str(State.CLAIMED))\n",
            ),
        ),
        scenarios=("kills",),
        shows=_TWICE,
        kills=12,
        window="sent-recorded",
    ),
    Bug(
        name="not-found-at-the-first-look",
        story="Look at the platform, but take whatever it shows for nothing.",
        changes=(
            Change(
                file="core/resolving.py",
                old="        found = await self._account.look(to, doubt.body, doubt.key, doubt.since, under=doubt.under, others=others)\n",
                new="        await self._account.look(to, doubt.body, doubt.key, doubt.since, under=doubt.under, others=others)\n"
                "        found: Receipt | Look = Look.NOT_SAID\n",
            ),
        ),
        scenarios=_SCENARIOS,
        shows=_TWICE,
        kills=10,
    ),
    Bug(
        name="unseen-is-unsaid",
        story="What cannot be looked up was probably not said: say it again.",
        changes=(
            Change(
                file="core/resolving.py",
                old='            await self._give_up(doubt, "nobody can look for it here")\n',
                new='            await self._again(doubt, MOST_LOOKS, "in vain")\n',
            ),
        ),
        scenarios=_SCENARIOS,
        shows=_TWICE,
        kills=12,
        window="sent-recorded",
        platform="telegram",
    ),
    Bug(
        name="nobody-looks",
        story="What is unknown stays unknown, also where the platform would tell.",
        changes=(
            Change(
                file="core/resolving.py",
                old="        found = await in_thread(self._doubts)\n",
                new="        found: list[Doubt] = []\n",
            ),
        ),
        scenarios=_SCENARIOS,
        shows=("violations", "reports_missing"),
        kills=30,
        window="sent-recorded",
        platform="discord",
    ),
    Bug(
        name="gives-up-without-looking",
        story="What is in doubt is for a person to settle, also where the platform would tell.",
        changes=(
            Change(
                file="core/resolving.py",
                old="            if place.limits.looks:\n",
                new="            if place.limits.looks and doubt.kind is Kind.REPORT:\n",
            ),
        ),
        scenarios=_SCENARIOS,
        shows=("violations",),
        says="in doubt for no reason",
        kills=20,
        window="sent-recorded",
        platform="discord",
    ),
    Bug(
        name="claims-left-behind",
        story="Only what was being sent needs care after a crash: what was merely claimed waits for ever.",
        changes=(
            Change(
                file="core/store/outbox.py",
                old="    back = give_back(connection, theirs, _OUTBOX.c.state == str(State.CLAIMED))\n",
                new="    back: list[int] = []\n",
            ),
        ),
        scenarios=("kills",),
        shows=("violations", "reports_missing"),
        kills=12,
        window="claimed-sent",
    ),
    Bug(
        name="report-by-its-hour",
        story="A report is named after the moment at which it was made: after each restart, and each tick, it is new.",
        changes=(
            Change(
                file="core/publishing.py",
                old="            key=report_key(survey.name, wave.key, team.name, part),\n",
                new='            key=f"{report_key(survey.name, wave.key, team.name, part)}{now.timestamp():.0f}",\n',
            ),
        ),
        scenarios=("kills",),
        shows=("reports_doubled", "violations", "doubled"),
        kills=4,
    ),
    Bug(
        name="late-is-never",
        story="Publish when the clock shows the hour: who was down then has no report.",
        changes=(
            Change(
                file="core/posting.py",
                old="        if now < self._not_before.get(key, due):\n            return\n",
                new="        if not due <= now < due + timedelta(minutes=10):\n            return\n",
            ),
        ),
        scenarios=("kills",),
        shows=("reports_missing",),
        kills=24,  # the service is down when some of them are due
    ),
    Bug(
        name="stop-is-a-word-like-any-other",
        story="Who once allowed messages gets them: nobody asks whether they said stop since.",
        changes=(
            Change(
                file="core/store/asks.py",
                old="    allowed = (_PERSON.c.opened.is_(True), _PERSON.c.stopped.is_(False), _PERSON.c.blocked.is_(False))\n",
                new="    allowed = (_PERSON.c.opened.is_(True), _PERSON.c.blocked.is_(False))\n",
            ),
            Change(
                file="core/store/claims.py",
                old="    _TO_THEM, _PERSON.c.opened.is_(True), _PERSON.c.stopped.is_(False), _PERSON.c.blocked.is_(False)\n",
                new="    _TO_THEM, _PERSON.c.opened.is_(True), _PERSON.c.blocked.is_(False)\n",
            ),
        ),
        scenarios=("kills",),
        shows=("violations", "doubled"),
        kills=6,
    ),
    Bug(
        name="no-nonce",
        story="The nonce is there for apps that show what is being sent: leave it out. What is retried is posted twice.",
        changes=(
            Change(
                file="bots/discord/send.py",
                old="        with self._parameters(message, nonce=nonce(key), **fields)",
                new="        with self._parameters(message, **fields)",
            ),
            Change(
                file="bots/discord/send.py",
                old="        with self._parameters(nonce=nonce(key), poll=rendered)",
                new="        with self._parameters(poll=rendered)",
            ),
        ),
        scenarios=("lost-answers",),
        shows=_TWICE,
        kills=10,
        platform="discord",
    ),
    Bug(
        name="asked-to-wait-is-refused",
        story="A 429 is an error like any other: what was to be said is dropped.",
        changes=(
            Change(
                file="core/outcomes.py",
                old="        case AccountUnavailable():\n            return later(error.retry_after_s)\n",
                new="        case AccountUnavailable():\n"
                "            return lambda connection: outbox.refused(connection, thing, text, now)\n",
            ),
        ),
        scenarios=("429",),
        shows=("refused", "reports_missing", "violations"),
        kills=8,
    ),
    Bug(
        name="asked-to-wait-is-unknown",
        story="A 429 is an answer that says nothing: what was to be said on Telegram stays in doubt for ever.",
        changes=(
            Change(
                file="bots/telegram/faults.py",
                old="    if isinstance(error, Flooded):\n",
                new="    if isinstance(error, Flooded) and not sending:\n",
            ),
        ),
        scenarios=("429",),
        shows=("violations",),
        kills=8,
        platform="telegram",
        week_s=90.0,  # who is told five times to wait ten seconds must still be able to ask in its week
    ),
    Bug(
        name="answers-who-came-last",
        story="What a teammate writes is for who came last: whose message they answered is forgotten.",
        changes=(
            Change(
                file="core/caring.py",
                old="        number, said = _numbered(order)\n        found = self._case(number)\n",
                new="        _, said = _numbered(order)\n        found = next(reversed(self._waiting()), None)\n",
            ),
        ),
        scenarios=("desk",),
        shows=("lost",),
        says="who is not the customer",
        kills=8,
    ),
)
