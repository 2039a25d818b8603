"""The verdict: the service's books against the platform's truth. No code of the service is used, only its table names.

What is wrong is told in full, the first few of each kind; ``Verdict.ok`` only when nothing is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from core.settings import Settings
from tests.faults.books import Books
from tests.faults.counted import Counted, Finding
from tests.faults.peace import Peace, Span
from tests.faults.recorded import Truth
from tests.faults.relayed import Relayed
from tests.faults.reported import Reported, Team
from tests.faults.said import Said
from tests.faults.shares import Shares
from tests.faults.shown import Shown

LEAST_SHARE = 0.995
"""So much of what was planned and still wanted has been said."""

TOLD = 12
"""So many findings of a kind are told in full."""

IN_VAIN = "tapped three times"
"""While the service is down nobody answers a tap, and three tries take a moment of the fast calendar."""

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Case:
    """What was asked for, as far as a judge has to know."""

    platforms: Mapping[str, str]
    zones: dict[str, str]
    teams: dict[str, list[Team]]
    channels: dict[str, list[str]] = field(default_factory=dict)
    """By survey: the channels in which it asks in public."""
    direct: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """By survey: the channels of direct messages in which it may write first, with their accounts."""

    @classmethod
    def of(cls, settings: Settings) -> Case:
        """From the settings that the service ran with."""
        teams = {
            name: Team(name, team.account, team.place, team.timezone, _after_monday(str(team.report)))
            for name, team in settings.teams.items()
        }
        platforms = {name: account.platform for name, account in settings.accounts.items()}
        return cls(
            platforms,
            {name: settings.brands[survey.brand].timezone for name, survey in settings.surveys.items()},
            {name: [teams[team] for team in survey.teams] for name, survey in settings.surveys.items()},
            {
                name: [one for one in survey.channels if settings.channels[one].place != "direct"]
                for name, survey in settings.surveys.items()
            },
            {
                name: [
                    (one, channel.account)
                    for one in survey.channels
                    if (channel := settings.channels[one]).place == "direct" and platforms[channel.account] != "x"
                ]
                for name, survey in settings.surveys.items()
            },
        )


@dataclass
class Verdict:
    """What a judge found."""

    replies: int = 0
    heard_in_peace: int = 0
    """What followers did, and the service heard, while nothing was wrong."""
    relayed: int = 0
    """How much of what teammates wrote customers got."""
    lost: int = 0
    doubled: int = 0
    asked_twice: int = 0
    reports_missing: int = 0
    reports_doubled: int = 0
    planned: int = 0
    sent: int = 0
    unknown: int = 0
    unknown_cut: int = 0
    unknown_unsent: int = 0
    unknown_alike: int = 0
    violations: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    """In full, the first of each kind."""
    not_sent: dict[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """How much of what was planned and wanted was sent."""
        return self.sent / self.planned if self.planned else 1.0

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong, however much was sent."""
        wrong = self.lost + self.doubled + self.asked_twice + self.reports_missing + self.reports_doubled
        return not wrong and not self.violations

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong and enough was sent."""
        return self.clean and self.share >= LEAST_SHARE

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        numbers = (
            "replies",
            "heard_in_peace",
            "relayed",
            "lost",
            "doubled",
            "asked_twice",
            "reports_missing",
            "reports_doubled",
            "planned",
            "sent",
        )
        return {
            **{name: getattr(self, name) for name in numbers},
            "sent_share": round(self.share, 5),
            **{name: getattr(self, name) for name in ("unknown", "unknown_cut", "unknown_unsent", "unknown_alike")},
            "violations": self.violations,
            "not_sent": self.not_sent,
            "findings": self.findings,
        }


def judge(
    truth: Truth,
    books: Books,
    case: Case,
    *,
    crashes: Sequence[str] = (),
    posted: Sequence[Span] = (),
    troubles: Sequence[Span] = (),
) -> Verdict:
    """Compare everything. ``crashes``: what the service logged with a traceback; ``posted``: when somebody posted
    reports by hand, which may be before they are due; ``troubles``: when something was broken, or starting."""
    peace = Peace(truth, troubles)
    counted = Counted(truth, books, case.zones, peace)
    shown = Shown(truth, books)
    said = Said(truth, books, shown, case.platforms, case.zones, counted.speed)
    reported = Reported(truth, books, counted, case.platforms, case.teams, posted, peace)
    verdict = Verdict(replies=len(books.reply), heard_in_peace=sum(map(peace.heard, truth.acts)))
    relayed = Relayed(truth, books, [name for name, platform in case.platforms.items() if platform == "x"])
    wrong = [*counted.findings(), *(Finding("doubled", text) for text in shown.twice()), *relayed.findings()]
    verdict.relayed = relayed.arrived
    kinds = Counter(finding.kind for finding in wrong)
    verdict.lost, verdict.doubled = kinds["lost"], kinds["doubled"]
    for kind in ("lost", "doubled"):
        _tell(verdict, kind, [finding.text for finding in wrong if finding.kind == kind])
    verdict.asked_twice = _tell(verdict, "asked twice", list(said.asked_twice()))
    verdict.reports_missing = _tell(verdict, "report missing", reported.missing())
    verdict.reports_doubled = _tell(verdict, "report doubled", reported.doubled())
    verdict.planned, verdict.sent, others = Shares(truth, books, case.platforms, counted.speed).share()
    verdict.not_sent = dict(others.most_common(TOLD))
    whys = Counter(doubt.why for doubt in said.doubts)
    verdict.unknown, verdict.unknown_alike = len(said.doubts), whys["alike"]
    verdict.unknown_cut, verdict.unknown_unsent = whys["cut"], whys["unsent"]
    verdict.violations = [
        *(f"{v.account}: {v.what} confirmed {v.event}, which was not kept" for v in truth.violations),
        *([] if truth.confirmations else ["the hook at the confirmations has seen nothing"]),
        *(f"in doubt for no reason: {doubt.key}" for doubt in said.doubts if not doubt.why),
        *(f"left behind: {text}" for text in said.left_behind()),
        *(f"in the books only: {text}" for text in shown.only_in_the_books()),
        *(f"never asked: {text}" for text in said.never_asked(case.channels)),
        *(f"never invited: {text}" for text in said.never_invited(case.direct)),
        *reported.wrong(),
        *(f"unwelcome after a stop: post {number}" for number in truth.unwelcome),
        *(f"written to after a stop: {text}" for text in said.written_after_stops()),
        *truth.unmannerly,
        *(f"invited after an answer: {text}" for text in said.invited_after_answers()),
        *(fault for fault in truth.faults if IN_VAIN not in fault),
        *(f"crash: {text}" for text in crashes),
    ]
    return verdict


def _tell(verdict: Verdict, kind: str, found: Sequence[str]) -> int:
    verdict.findings += [f"{kind}: {text}" for text in found[:TOLD]]
    return len(found)


def _after_monday(report: str) -> timedelta:
    day, clock = report.split()
    hours, minutes = clock.split(":")
    return timedelta(days=DAYS.index(day), hours=int(hours), minutes=int(minutes))
