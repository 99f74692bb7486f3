"""A local stand-in for Telegram's Bot API with a chat page, for `make run` and the tests."""
