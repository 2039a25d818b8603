"""The form behind a button, where the platform has forms."""

from __future__ import annotations

from core.buttons import Purpose, opens_form, wave_code
from core.clock import Clock
from core.dialogue import why_form
from core.message import Form
from core.orders import reply_form
from core.routes import Routes
from core.survey import previous_wave, week_wave


def form(routes: Routes, clock: Clock, language: str, token: str) -> Form | None:
    """ "Tell us why", in the language of the survey that the button belongs to; "Reply", in that of the team. ``None``
    for a button that opens none."""
    opens = opens_form(token)
    if opens is None:
        return None
    purpose, code = opens
    if purpose is Purpose.REPLY:
        return reply_form(token, language)
    for survey in routes.surveys.values():
        wave = week_wave(survey, clock.now())
        if code in (wave_code(survey.name, w.key) for w in (wave, previous_wave(survey, wave))):
            return why_form(token, survey.languages[0])
    return why_form(token, "en")
