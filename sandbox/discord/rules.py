"""Every limit, expiry and error that the stand-in enforces, by name, with where Discord says so.

``discord.code.N`` is an error code that needs no limit to be hit; without it the request passes as if done.
"""

_DOCS = "https://discord.com/developers/docs"
_CODES = f"{_DOCS}/topics/opcodes-and-status-codes#json"
_CLOSE = f"{_DOCS}/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes"
_RATES = f"{_DOCS}/topics/rate-limits"
_MESSAGE = f"{_DOCS}/resources/message#create-message"
_EMBED = f"{_DOCS}/resources/message#embed-object-embed-limits"
_POLL = f"{_DOCS}/resources/poll"
_COMPONENT = f"{_DOCS}/components/reference"
_INTERACTION = f"{_DOCS}/interactions/receiving-and-responding"
_COMMAND = f"{_DOCS}/interactions/application-commands"
_GATEWAY = f"{_DOCS}/events/gateway"
_MEMBERS = f"{_DOCS}/events/gateway-events#request-guild-members"
_GUILD = f"{_DOCS}/resources/guild"

_ACCESS = {
    "discord.token": f"{_DOCS}/reference#authentication",
    "discord.user_agent": f"{_DOCS}/reference#user-agent",
    "discord.access": _CODES,
    "discord.permissions": f"{_DOCS}/topics/permissions",
    "discord.rate.route": _RATES,
    "discord.rate.global": f"{_RATES}#global-rate-limit",
    "discord.rate.invalid": f"{_RATES}#invalid-request-limit-aka-cloudflare-bans",
    "discord.status.404": f"{_DOCS}/topics/opcodes-and-status-codes#http",
    "discord.status.405": f"{_DOCS}/topics/opcodes-and-status-codes#http",
    **{
        f"discord.code.{code}": _CODES
        for code in (10003, 10004, 10007, 10008, 10013, 10062, 10063, 20001, 50024, 50027, 50033, 50035, 50109, 520006)
    },
}
_MESSAGES = {
    "discord.content.length": _MESSAGE,
    "discord.content.empty": _CODES,
    "discord.embeds.count": _MESSAGE,
    "discord.embeds.total": _EMBED,
    "discord.embed.title": _EMBED,
    "discord.embed.description": _EMBED,
    "discord.embed.fields": _EMBED,
    "discord.embed.field_length": _EMBED,
    "discord.attachments.count": f"{_DOCS}/reference#uploading-files",
    "discord.attachments.size": f"{_DOCS}/reference#uploading-files",
    "discord.nonce.length": _MESSAGE,
    "discord.nonce.unique": _MESSAGE,
    "discord.nonce.forgotten": _MESSAGE,
    "discord.nonce.ephemeral": "https://discordpy.readthedocs.io/en/stable/api.html#discord.Message.nonce",
    "discord.mentions.exclusive": f"{_DOCS}/resources/message#allowed-mentions-object",
    "discord.reply.unknown": f"{_DOCS}/resources/message#message-reference-structure",
    "discord.message.author": f"{_DOCS}/resources/message#edit-message",
    "discord.history.limit": f"{_DOCS}/resources/message#get-channel-messages",
    "discord.history.permission": f"{_DOCS}/resources/message#get-channel-messages",
    "discord.thread.name": f"{_DOCS}/resources/channel#start-thread-from-message",
    "discord.thread.once": _CODES,
    "discord.direct.blocked": _CODES,
    "discord.direct.mutual": _CODES,
    "discord.direct.pace": f"{_DOCS}/resources/user#create-dm",
}
_COMPONENTS = {
    "discord.components.rows": _COMPONENT,
    "discord.components.width": f"{_COMPONENT}#action-row",
    "discord.components.unique": f"{_COMPONENT}#anatomy-of-a-component",
    "discord.components.custom_id": f"{_COMPONENT}#anatomy-of-a-component",
    "discord.components.label": f"{_COMPONENT}#button",
    "discord.components.button_face": f"{_COMPONENT}#button",
    "discord.components.options": f"{_COMPONENT}#string-select",
    "discord.components.option_values": f"{_COMPONENT}#string-select",
    "discord.components.option_length": f"{_COMPONENT}#string-select",
    "discord.components.placeholder": f"{_COMPONENT}#string-select",
    "discord.modal.title": f"{_INTERACTION}#interaction-response-object-modal",
    "discord.modal.custom_id": f"{_INTERACTION}#interaction-response-object-modal",
    "discord.modal.components": f"{_INTERACTION}#interaction-response-object-modal",
    "discord.modal.label": f"{_COMPONENT}#text-input",
    "discord.modal.value": f"{_COMPONENT}#text-input",
    "discord.modal.placeholder": f"{_COMPONENT}#text-input",
    "discord.modal.input_length": f"{_COMPONENT}#text-input",
}
_POLLS = {
    "discord.poll.question": f"{_POLL}#poll-create-request-object",
    "discord.poll.answers": f"{_POLL}#poll-create-request-object",
    "discord.poll.answer": f"{_POLL}#poll-media-object",
    "discord.poll.duration": f"{_POLL}#poll-create-request-object",
    "discord.poll.emoji": _CODES,
    "discord.poll.channel": _CODES,
    "discord.poll.edit": _CODES,
    "discord.poll.expired": _CODES,
    "discord.poll.voters.limit": f"{_POLL}#get-answer-voters",
}
_INTERACTIONS = {
    "discord.interaction.deadline": f"{_INTERACTION}#responding-to-an-interaction",
    "discord.interaction.once": _CODES,
    "discord.interaction.token": f"{_INTERACTION}#followup-messages",
    "discord.interaction.type": f"{_INTERACTION}#interaction-response-object-interaction-callback-type",
    "discord.webhook.unanswered": _CODES,
    "discord.commands.count": f"{_COMMAND}#registering-a-command",
    "discord.commands.name": f"{_COMMAND}#application-command-object-application-command-naming",
    "discord.commands.description": f"{_COMMAND}#application-command-object-application-command-structure",
}
_GATEWAYS = {
    "discord.gateway.version": _CLOSE,
    "discord.gateway.payload": f"{_GATEWAY}#sending-events",
    "discord.gateway.sends": f"{_GATEWAY}#rate-limiting",
    "discord.gateway.heartbeat": f"{_GATEWAY}#sending-heartbeats",
    "discord.gateway.shard": _CLOSE,
    "discord.gateway.quota": f"{_GATEWAY}#rate-limiting",
    "discord.gateway.concurrency": f"{_GATEWAY}#session-start-limit-object",
    "discord.gateway.resume_window": f"{_GATEWAY}#resuming",
    "discord.gateway.resume_session": f"{_GATEWAY}#resuming",
    "discord.gateway.resume_seq": _CLOSE,
    "discord.gateway.resume_free": f"{_GATEWAY}#session-start-limit-object",
    "discord.gateway.replay": f"{_GATEWAY}#resuming",
    "discord.gateway.confirmed": f"{_GATEWAY}#sending-heartbeats",
    "discord.gateway.closed": f"{_GATEWAY}#initiating-a-disconnect",
    "discord.gateway.members.ids": _MEMBERS,
    "discord.gateway.members.intent": _MEMBERS,
    "discord.gateway.members.all": _MEMBERS,
    "discord.intents.valid": _CLOSE,
    "discord.intents.privileged": f"{_GATEWAY}#privileged-intents",
    "discord.intents.content": f"{_GATEWAY}#message-content-intent",
    "discord.intents.content_rest": f"{_GATEWAY}#message-content-intent",
    "discord.members.intent": f"{_GUILD}#list-guild-members",
    "discord.members.limit": f"{_GUILD}#search-guild-members",
}

RULES: dict[str, str] = _ACCESS | _MESSAGES | _COMPONENTS | _POLLS | _INTERACTIONS | _GATEWAYS
