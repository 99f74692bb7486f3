"""Whether an update's parts are what they should be: PTB sees that they are there, not what."""

from __future__ import annotations

from collections.abc import Iterator

from telegram import Update

#: Ids beyond this fit into no database.
_LARGEST = 2**63 - 1


def is_whole(update: Update) -> bool:
    """Say whether what is read later is text, every id a number, and a tap somebody's."""
    if update.callback_query is not None and update.effective_user is None:
        return False
    return all(part is None or isinstance(part, str) for part in _words(update)) and all(
        isinstance(number, int) and abs(number) <= _LARGEST for number in _numbers(update)
    )


def _words(update: Update) -> Iterator[object]:
    query, message, user = update.callback_query, update.effective_message, update.effective_user
    if query is not None:
        yield from (query.id, query.data)
    if message is not None:
        yield from (message.text, message.caption, message.media_group_id)
    if user is not None:
        yield from (user.first_name, user.language_code)


def _numbers(update: Update) -> Iterator[object]:
    for part in (update.effective_chat, update.effective_user):
        if part is not None:
            yield part.id
    if update.effective_message is not None:
        yield update.effective_message.message_id
