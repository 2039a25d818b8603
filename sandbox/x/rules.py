"""Every limit, expiry and error of X that the stand-in enforces: its name, and where X says so."""

from __future__ import annotations

_AUTH = "https://docs.x.com/fundamentals/authentication/oauth-1-0a/authorizing-a-request"
_APP_ONLY = "https://docs.x.com/fundamentals/authentication/oauth-2-0/application-only"
_RATES = "https://docs.x.com/x-api/fundamentals/rate-limits"
_POST = "https://docs.x.com/x-api/posts/create-post"
_DELETE = "https://docs.x.com/x-api/posts/delete-post"
_LOOKUP = "https://docs.x.com/x-api/posts/get-posts-by-ids"
_FIELDS = "https://docs.x.com/x-api/fundamentals/fields"
_ERRORS = "https://docs.x.com/x-api/fundamentals/response-codes-and-errors"
_COUNTING = "https://docs.x.com/fundamentals/counting-characters"
_TIMELINES = "https://docs.x.com/x-api/posts/timelines/introduction"
_PAGES = "https://docs.x.com/x-api/fundamentals/pagination"
_DM = "https://docs.x.com/x-api/direct-messages/manage/introduction"
_DM_LOOKUP = "https://docs.x.com/x-api/direct-messages/lookup/introduction"
_AUTOMATION = "https://help.x.com/en/rules-and-policies/x-automation"
_CHANGES = "https://docs.x.com/changelog"
_MEDIA = "https://docs.x.com/x-api/media/quickstart/best-practices"
_POLLS = "https://help.x.com/en/using-x/x-polls"

RULES: dict[str, str] = {
    "x.auth.required": _AUTH,
    "x.auth.signature": _AUTH,
    "x.auth.timestamp": _AUTH,
    "x.auth.nonce": _AUTH,
    "x.auth.bearer": _APP_ONLY,
    "x.auth.user_context": _APP_ONLY,
    "x.credits": _ERRORS,
    "x.outage": _ERRORS,
    "x.rate.me": _RATES,
    "x.rate.users": _RATES,
    "x.rate.posts": _RATES,
    "x.rate.delete": _RATES,
    "x.rate.lookup": _RATES,
    "x.rate.mentions": _RATES,
    "x.rate.timeline": _RATES,
    "x.rate.dms": _RATES,
    "x.rate.dms_day": _RATES,
    "x.rate.dm_events": _RATES,
    "x.rate.dm_events_with": _RATES,
    "x.rate.media": _RATES,
    "x.query.known": _ERRORS,
    "x.fields.known": _FIELDS,
    "x.fields.asked": _FIELDS,
    "x.page.token": _PAGES,
    "x.body.json": _ERRORS,
    "x.body.known": _POST,
    "x.user.missing": _ERRORS,
    "x.post.length": _COUNTING,
    "x.post.empty": _POST,
    "x.post.links": _COUNTING,
    "x.post.escaped": _COUNTING,
    "x.post.duplicate": _ERRORS,
    "x.post.exclusive": _POST,
    "x.post.media": _POST,
    "x.post.poll.options": _POST,
    "x.post.poll.label": _POST,
    "x.post.poll.duration": _POST,
    "x.post.reply.visible": _POST,
    "x.post.reply.mentioned": _CHANGES,
    "x.post.reply.once": _AUTOMATION,
    "x.post.reply.blocked": _POST,
    "x.delete.own": _DELETE,
    "x.delete.missing": _DELETE,
    "x.lookup.ids": _LOOKUP,
    "x.lookup.missing": _ERRORS,
    "x.poll.once": _POLLS,
    "x.poll.ends": _POLLS,
    "x.poll.hidden": _POLLS,
    "x.mentions.page": _TIMELINES,
    "x.mentions.depth": _TIMELINES,
    "x.timeline.depth": _TIMELINES,
    "x.timeline.start": _TIMELINES,
    "x.dm.first": _AUTOMATION,
    "x.dm.blocked": _DM,
    "x.dm.once": _AUTOMATION,
    "x.dm.length": _DM,
    "x.dm.empty": _DM,
    "x.dm.attachments": _DM,
    "x.dm.page": _DM_LOOKUP,
    "x.dm.history": _DM_LOOKUP,
    "x.dm.participants": _CHANGES,
    "x.media.type": _MEDIA,
    "x.media.size": _MEDIA,
    "x.media.segments": _MEDIA,
    "x.media.content": _MEDIA,
    "x.media.expiry": _MEDIA,
}
