"""A local stand-in for Telegram's Bot API with a chat page, used by `make run`, the tests and the benchmark."""
