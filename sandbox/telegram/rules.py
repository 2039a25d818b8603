"""Every limit, expiry and error that the stand-in enforces, each with where Telegram says so.

Where two sources are given, the first states the limit and the second the server's code that words the refusal.
"Ours" marks the harsher reading of something that Telegram does not publish.
"""

from __future__ import annotations

_API = "https://core.telegram.org/bots/api#"
_SERVER = "https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp"
_TDLIB = "https://github.com/tdlib/td/blob/master/td/telegram/"
_FAQ = "https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this"
_FEATURES = "https://core.telegram.org/bots/features#"

RULES: dict[str, str] = {
    "telegram.auth.token": _API + "authorizing-your-bot · 401 Unauthorized",
    "telegram.method.known": _SERVER + " · 404 Not Found: method not found",
    # getUpdates
    "telegram.updates.conflict": _SERVER + " · abort_long_poll: the older of two pollers gets 409",
    "telegram.updates.webhook": _API + "getupdates · 409 while a webhook is set",
    "telegram.updates.limit": _API + "getupdates · 1–100",
    "telegram.updates.allowed": _API + "getupdates · allowed_updates",
    "telegram.updates.sticky": _API + "getupdates · if not specified, the previous setting is used",
    "telegram.updates.confirmed": _API + "getupdates · confirmed by a higher offset, then gone",
    "telegram.updates.retention": _API + "getting-updates · not kept longer than 24 hours",
    "telegram.updates.taps": _SERVER + " · add_update_callback_query: 150 s",
    "telegram.updates.same_offset": _SERVER + " · process_get_updates_query: asked again at once, slowed down",
    "telegram.updates.quiet_week": _API + "update · after a week without updates the next id is random",
    "telegram.webhook.https": _API + "setwebhook · HTTPS only",
    "telegram.webhook.secret": _API + "setwebhook · A-Z a-z 0-9 _ - up to 256",
    # who can be written to
    "telegram.chat.known": _SERVER + " · 400 chat not found",
    "telegram.chat.started": _FEATURES + "global-commands · 403 bot can't initiate conversation with a user",
    "telegram.chat.blocked": _SERVER + " · 403 bot was blocked by the user",
    "telegram.chat.kicked": _SERVER + " · 403 bot was kicked from the … chat",
    "telegram.chat.upgraded": _API + "responseparameters · migrate_to_chat_id",
    # texts, photos, keyboards
    "telegram.text.empty": _API + "sendmessage · 1–4096 characters",
    "telegram.text.length": _API + "sendmessage · 1–4096 characters after entities parsing, counted in UTF-16 (ours)",
    "telegram.text.entities": _API + "html-style · " + _TDLIB + "MessageEntity.cpp",
    "telegram.reply.found": _SERVER + " · message to be replied not found",
    "telegram.keyboard.action": _API + "inlinekeyboardbutton · exactly one action",
    "telegram.keyboard.data": _API + "inlinekeyboardbutton · callback_data 1–64 bytes",
    "telegram.keyboard.size": "https://limits.tginfo.me/en · 100 buttons a message",
    "telegram.keyboard.row": "https://limits.tginfo.me/en · 8 buttons a row",
    "telegram.photo.caption": _API + "sendphoto · 0–1024 characters after entities parsing",
    "telegram.photo.present": _SERVER + " · there is no photo in the request",
    "telegram.photo.image": "https://core.telegram.org/method/messages.sendMedia · IMAGE_PROCESS_FAILED",
    "telegram.photo.size": _API + "sendphoto · at most 10 MB",
    "telegram.photo.dimensions": _API + "sendphoto · sides at most 10000 together, ratio at most 20",
    "telegram.action.known": _API + "sendchataction",
    # polls
    "telegram.poll.question": _API + "sendpoll · 1–300 characters",
    "telegram.poll.options": _API + "sendpoll · 1–12 options",
    "telegram.poll.option_length": _API + "inputpolloption · 1–100 characters",
    "telegram.poll.description": _API + "sendpoll · description 0–1024 characters after entities parsing",
    "telegram.poll.named_in_channel": _TDLIB + "MessageContent.cpp · non-anonymous polls can't be sent to channels",
    "telegram.poll.open_period": _API + "sendpoll · 5–2628000 s",
    "telegram.poll.close_date": _API + "sendpoll · 5–2628000 s ahead",
    "telegram.poll.one_end": _API + "sendpoll · open_period can't be used together with close_date",
    "telegram.poll.members_only": _API + "sendpoll · for channel chats only",
    "telegram.poll.closes": _API + "poll · close_date",
    "telegram.poll.hidden": _API + "sendpoll · hide_results_until_closes, from the bot too (ours)",
    "telegram.poll.anonymous": _API + "pollanswer · only in non-anonymous polls",
    "telegram.poll.sender": _API + "update · poll: only polls sent by the bot (and manually stopped ones)",
    "telegram.poll.stop_found": _SERVER + " · message with poll to stop not found",
    "telegram.poll.stop_once": _TDLIB + "MessagesManager.cpp · poll has already been closed",
    "telegram.poll.stop_own": _TDLIB + "MessagesManager.cpp · poll can't be stopped",
    "telegram.vote.revoting": _API + "sendpoll · allows_revoting",
    "telegram.vote.members_only": _API + "sendpoll · members for more than 24 hours",
    # changing what stands there
    "telegram.edit.found": _SERVER + " · message to edit not found",
    "telegram.edit.own": _TDLIB + "MessagesManager.cpp · message can't be edited",
    "telegram.edit.blocked": _SERVER + " · 403 bot was blocked by the user (for edits: ours)",
    "telegram.edit.text": _TDLIB + "MessagesManager.cpp · there is no text in the message to edit",
    "telegram.edit.modified": _SERVER + " · message is not modified",
    "telegram.delete.found": _SERVER + " · message to delete not found",
    "telegram.delete.age": _API + "deletemessage · sent less than 48 hours ago",
    "telegram.delete.own": _API + "deletemessage · not an administrator of groups",
    # taps
    "telegram.tap.text": _API + "answercallbackquery · 0–200 characters, MESSAGE_TOO_LONG",
    "telegram.tap.known": _SERVER + " · query is too old … or query ID is invalid",
    "telegram.tap.life": _SERVER + " · query is too old, after 150 s (ours: as long as the update is kept)",
    "telegram.tap.answered_once": _SERVER + " · query ID is invalid (ours: one answer)",
    "telegram.tap.keyboard": _API + "editmessagereplymarkup · a keyboard that was taken away cannot be tapped",
    # rates
    "telegram.rate.total": _FAQ + " · 30 messages a second over all chats",
    "telegram.rate.chat": _FAQ + " · one a second in a chat, short bursts allowed (three: ours)",
    "telegram.rate.group": _FAQ + " · 20 a minute in a group (and channel: ours)",
    # people
    "telegram.group.privacy": _FEATURES + "privacy-mode",
    "telegram.start.payload": _FEATURES + "deep-linking · up to 64 of A-Za-z0-9_-",
    "telegram.direct.started": _FEATURES + "global-commands · nobody can write before Start",
    "telegram.direct.blocked": "https://telegram.org/faq · nobody writes to whom they blocked",
    "telegram.channel.readers": "https://telegram.org/faq_channels · only administrators post",
    # what is asked and set
    "telegram.member.known": "https://core.telegram.org/method/channels.getParticipant · PARTICIPANT_ID_INVALID",
    "telegram.member.private": _SERVER + " · there are no administrators in the private chat",
    "telegram.commands.count": _API + "setmycommands · at most 100",
    "telegram.commands.name": _API + "botcommand · 1–32 of a-z 0-9 _",
    "telegram.commands.description": _API + "botcommand · 1–256 characters",
    "telegram.file.known": _SERVER + " · invalid file_id",
}
