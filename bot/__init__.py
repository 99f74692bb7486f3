"""The patient's side: the only package that knows Telegram."""
