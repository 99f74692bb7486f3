"""The gates of the dialogue, the bot and the engines. One line takes one of them away."""

from __future__ import annotations

from tests.faults.mutants import Mutant

_CONSTRAINTS = ("tests/storage/test_constraints.py",)
_LOCKS = ("tests/storage/test_locks.py",)
_SCREENING = ("tests/flows/test_screening.py", "tests/flows/test_starting.py")
_NO_WAY = ("tests/flows/test_no_way_round.py", "tests/flows/test_starting.py")
_PROOF = ("tests/flows/test_proof.py",)

#: (what is lost, file, gate, without it, tests)
_TABLE: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    # SQLite and PostgreSQL.
    (
        "transactions that write begin as such",
        "storage/sqlite_engine.py",
        'connection.exec_driver_sql("BEGIN IMMEDIATE")',
        'connection.exec_driver_sql("BEGIN")',
        _LOCKS,
    ),
    (
        "references are kept on SQLite",
        "storage/sqlite_engine.py",
        "f\"foreign_keys={'ON' if refers else 'OFF'}\"]",
        "]",
        (*_CONSTRAINTS, "-k", "sqlite"),
    ),
    (
        "deadlocks are tried again",
        "storage/faults.py",
        "    return sqlstate(error) in TRY_AGAIN\n",
        "    return False\n",
        ("tests/storage/test_database.py",),
    ),
    # The dialogue.
    (
        "consent first",
        "flows",
        '    return step.group == "consent" and "decline" in codes',
        "    return False",
        _SCREENING,
    ),
    (
        "red flags in words",
        "flows",
        "    return wording.red_flag(text, known, here.scene.catalogues)\n",
        "    return None\n",
        _NO_WAY,
    ),
    (
        "rest on the day of a red flag",
        "flows",
        "    return decided_on is None or here.today <= decided_on\n",
        "    return False\n",
        _NO_WAY,
    ),
    (
        "a red flag outlives a stop",
        "flows",
        "    if here.conversation.red_flag:\n        return Stage.URGENT\n",
        "",
        _NO_WAY,
    ),
    (
        "a red flag frees held times",
        "flows",
        "        effects = (ReleaseHold(here.booking.series_id), *effects)\n",
        "",
        ("tests/flows/test_repairs.py",),
    ),
    (
        "offers go with their verdict",
        "flows",
        '    there = here.go(trigger, dest, booking=Booking(service=verdict.bookable or ""))\n',
        "    there = here.go(trigger, dest)\n",
        ("tests/flows/test_no_way_round.py", "tests/flows/test_appointing.py"),
    ),
    (
        "no other times without a service",
        "flows",
        "    if not here.booking.service:  # a consultation that nobody can date yet\n",
        "    if False:\n",
        _NO_WAY,
    ),
    (
        "no answer changes after a booking",
        "flows",
        "    if not before_booking or step_id",
        "    if step_id",
        (*_NO_WAY, *_SCREENING[:1]),
    ),
    (
        "buttons belong to their screens",
        "flows",
        "    if states and (here.conversation.overlay or here.conversation.state not in states):\n",
        "    if False:\n",
        ("tests/flows/test_appointing.py",),
    ),
    (
        "the strongest answer decides",
        "flows",
        "    return max((o.severity for o in",
        "    return min((o.severity for o in",
        ("tests/flows/test_relevance.py", *_PROOF),
    ),
    # The bot.
    (
        "old buttons are old",
        "bot/turns.py",
        "    return place is None or arrival.revision != place.conversation.revision\n",
        "    return place is None\n",
        ("tests/bot/test_turns.py",),
    ),
    (
        "confirmed only when dealt with",
        "bot/polling.py",
        "            return min(self._unfinished)\n",
        "            return self._offset\n",
        ("tests/bot/test_polling.py",),
    ),
    (
        "put aside after three tries",
        "bot/intake.py",
        "_TRIES = 3\n",
        "_TRIES = 10**6\n",
        ("tests/bot/test_intake.py",),
    ),
    (
        "only the caller's secret opens the webhook",
        "bot/webhook.py",
        "not hmac.compare_digest(given.encode(), self._terms.secret.encode())",
        "False",
        ("tests/bot/test_webhook.py",),
    ),
)

GATES = tuple(Mutant(*row) for row in _TABLE)
