"""What keeps the bot from running, in words for whoever started it."""


class BotFault(Exception):
    """The bot cannot run; the message is one sentence with the setting and the cure."""
