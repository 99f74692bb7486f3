"""A year or more with made-up patients, lived through by the real bot on a compressed clock."""
