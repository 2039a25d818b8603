"""Every error that Vouch raises on purpose. The type decides the policy: retry, set aside, or ask a person.

    VouchError
    ├ SettingsError                 names the key and the mend; exit code 2
    ├ AccountError                  something went wrong on one account
    │ ├ AccountUnavailable          try again, after ``retry_after_s``
    │ ├ AccountRefused              token or rights: needs a person
    │ ├ PersonUnreachable           blocked, direct messages closed: this person only
    │ ├ ContentRefused              too long, duplicate, not allowed: this message only
    │ │ └ MessageGone             what was to be edited stands there no more
    │ ├ TooLate                     its time passed before its turn came: not said
    │ ├ NotOurs                     another process serves this account now, or it is no longer wanted: not said
    │ └ OutcomeUnknown              it may have been said: look, never resend blindly
    └ StoreError                    the database could not keep something
      └ StoreAway                   it can keep nothing now (disk full, read-only, server away): it says so itself, once

A platform library's own exceptions never leave ``bots/``.
"""


class VouchError(Exception):
    """Base of all errors that Vouch raises on purpose. The text is one line and names the mend."""


class SettingsError(VouchError):
    """The settings are wrong. The text names the key and says how to mend it."""


class StoreError(VouchError):
    """The database could not keep or find something."""


class StoreAway(StoreError):
    """The database itself fails: disk full, read-only, server away. ``core/store/database.py`` says so, once; try again
    later. ``reason`` names the mend."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason} ({detail})")
        self.reason = reason


class AccountError(VouchError):
    """Something went wrong on one account."""

    def __init__(self, account: str, text: str) -> None:
        super().__init__(f"{account}: {text}")
        self.account = account


class AccountUnavailable(AccountError):
    """The platform cannot answer now. Nothing was said; try again after ``retry_after_s`` seconds of wire time."""

    def __init__(self, account: str, text: str, retry_after_s: float = 1.0) -> None:
        super().__init__(account, text)
        self.retry_after_s = retry_after_s


class AccountRefused(AccountError):
    """The platform refuses the account itself (token, rights, credits). A person must act."""


class PersonUnreachable(AccountError):
    """This one person cannot be written to: they blocked us or closed their direct messages."""


class ContentRefused(AccountError):
    """The platform refuses this one message: too long, a duplicate, not allowed."""


class MessageGone(ContentRefused):
    """The message that was to be edited is not there any more: deleted, or left behind in a group that moved."""


class TooLate(AccountError):
    """The time of a message passed before the platform's limits let us say it. It was not said."""


class NotOurs(AccountError):
    """Raised by ``begin`` (see ``core/account.py``): this is not ours to say any more. It was not said."""


class OutcomeUnknown(AccountError):
    """The answer to a send was lost: the message may or may not have arrived."""
