"""Mistakes about the machines below: the disk, the clock, the database, and the other process."""

from __future__ import annotations

from tests.faults.planted.bug import Bug, Change

BUGS = (
    Bug(
        name="lease-without-fence",
        story="Who took the lease has it, and renews it: a process that was paused beyond it says what it had claimed, and "
        "asks neither whose that is by now nor what became of it.",
        changes=(
            Change(
                file="core/store/claims.py",
                old="    its = (_OUTBOX.c.id == thing.id, _OUTBOX.c.state == str(State.CLAIMED), _OUTBOX.c.fence == held.fence, ours(held))\n",
                new="    its = (_OUTBOX.c.id == thing.id,)\n",
            ),
            Change(
                file="core/store/leases.py",
                old="        its = (_LEASE.c.account == held.account, _LEASE.c.fence == held.fence, _LEASE.c.session == self.session)\n",
                new="        its = (_LEASE.c.account == held.account,)\n",
            ),
            Change(
                file="core/store/leases.py",
                old="                if left_s <= 0:\n                    return\n",
                new="                left_s = max(left_s, self._renew_s)\n",
            ),
        ),
        scenarios=("paused",),
        shows=("doubled", "asked_twice", "reports_doubled", "violations"),
        database="postgresql",
        instances=2,
        kills=14,
        window="claimed-sent",
    ),
    Bug(
        name="trust-the-clock",
        story="The machine's clock is right: when it jumps by a year, everything comes too late and nothing counts.",
        changes=(
            Change(
                file="core/clock.py",
                old="        wall, now = self._wall(), self._steady()\n        line",
                new="        return self._wall()\n        wall, now = self._wall(), self._steady()\n        line",
            ),
        ),
        scenarios=("clock",),
        shows=("lost", "doubled", "asked_twice", "reports_missing", "violations"),
        kills=6,
    ),
    Bug(
        name="crash-on-a-full-disk",
        story="What cannot be written is fatal: the writer ends, and the service with it.",
        changes=(
            Change(
                file="core/store/database.py",
                old="            self._failed(fault)\n            return",
                new="            self._failed(fault)\n            raise\n            return",
            ),
        ),
        scenarios=("disk-full",),
        shows=("violations", "lost", "reports_missing"),
        kills=6,
    ),
    Bug(
        name="deferred-begin",
        story="BEGIN is BEGIN: who reads and then writes is refused when somebody else wrote in between.",
        changes=(
            Change(
                file="core/store/opening.py",
                old='    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")\n',
                new='    connection.exec_driver_sql("BEGIN")\n',
            ),
        ),
        scenarios=("commands",),
        shows=("violations", "lost", "doubled", "asked_twice"),
        kills=40,
        followers=600,
    ),
)
