"""A local stand-in for Telegram's Bot API with a chat page, for `make run` and the tests.

`create_app` builds it, `run_playground` (in `server`) runs it together with the bot.
"""

from bot.playground.app import create_app

__all__ = ["create_app"]
