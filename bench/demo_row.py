"""How long the demo takes, beside the three weeks that it lives through."""

from __future__ import annotations

import json
import subprocess

from bench.row import Figure, NotMeasured, Row, vouch

SEED, WEEKS = 11, 3
FOLLOWERS, FOLLOWERS_QUICK = 2_000, 200


def demo_s(quick: bool) -> Figure:
    """Seconds that the demo says it took beside those of its weeks at its own speed. Once: it takes a minute, and its
    verdict must be that nothing was lost or doubled. Ratio: down, never below 1. ``quick`` brings 200 followers."""
    from demo.live import CROWD, WEEK_S

    followers = FOLLOWERS_QUICK if quick else FOLLOWERS
    given = ["--headless", "--followers", str(followers), "--seed", str(SEED), "--weeks", str(WEEKS), "--json"]
    ended = subprocess.run([*vouch(), "demo", *given], stdout=subprocess.PIPE, text=True, check=False)
    if not ended.stdout:
        raise NotMeasured(f"the demo ended with exit code {ended.returncode} and no verdict")
    found = json.loads(ended.stdout)
    if ended.returncode:
        raise NotMeasured(f"{found['lost']} lost, {found['doubled']} doubled; {'; '.join(found['faults'])}")
    return Figure(found["elapsed_s"], WEEK_S * max(1.0, followers / CROWD) * WEEKS)


ROWS = (Row("demo.2000", "2,000 followers' three weeks are told as they were, in little over their 48 s", "s", demo_s),)
