"""The guards in the code: fences, locks, gates. One line takes one of them away."""

from __future__ import annotations

from tests.faults.mutants import Mutant

BOOKINGS = "storage/bookings.py"
TURNS = "storage/turns.py"
INBOX = "storage/inbox.py"
OUTBOX = "storage/outbox.py"
WAITLIST = "storage/waitlist.py"
DECISIONS = "storage/decisions.py"
CONVERSATIONS = "storage/conversations.py"
TIME_OFF = "storage/migrations/versions/0007_time_off.py"
OCCUPYING = ("held", "pending", "booked", "arrived", "blocked")

_BOOKINGS = ("tests/storage/test_bookings.py",)
_SQLITE_BOOKINGS = ("tests/storage/test_bookings.py", "-k", "sqlite")
_OLD_OFFERS = ("tests/storage/test_old_offers.py", "-k", "sqlite")
_WAITLIST = ("tests/storage/test_waitlist.py", "-k", "sqlite")
_RACES = ("tests/storage/test_races.py",)
_LOCKS = ("tests/storage/test_locks.py",)
_TURNS = ("tests/storage/test_turns.py", "-k", "sqlite")
_INBOX = ("tests/storage/test_inbox.py", "-k", "sqlite")
_OUTBOX = ("tests/storage/test_outbox.py", "-k", "sqlite")

#: (what is lost, file, guard, without it, tests)
_TABLE: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    # Appointments do not overlap.
    *(
        (
            f"guard of {whose}s",
            TIME_OFF,
            "GUARDS.items():\n        if op.get_bind()",
            f'GUARDS.items():\n        if name == "{whose}":\n            continue\n'
            "        if op.get_bind()",
            _BOOKINGS,
        )
        for whose in ("practitioner", "patient")
    ),
    *(
        (
            f"guard on {verb}",
            TIME_OFF,
            'for verb in ("insert", "update")',
            f'for verb in ("{other}",)',
            _SQLITE_BOOKINGS,
        )
        for verb, other in (("insert", "update"), ("update", "insert"))
    ),
    *(
        (
            f"guard of {state} times",
            TIME_OFF,
            "    put_guards_on(f\"({EXPECTED}, 'blocked')\")\n",
            f"    put_guards_on({str(tuple(each for each in OCCUPYING if each != state))!r})\n",
            _SQLITE_BOOKINGS,
        )
        for state in OCCUPYING
    ),
    # Bookings.
    ("all or nothing", BOOKINGS, "    if gone:\n", "    if False:\n", _SQLITE_BOOKINGS),
    (
        "times that are past or of nobody",
        BOOKINGS,
        "    if impossible:\n",
        "    if False:\n",
        _SQLITE_BOOKINGS,
    ),
    (
        "hours of old offers",
        BOOKINGS,
        "        impossible |= outside_hours.of_these(connection, clinic, known)\n",
        "",
        _OLD_OFFERS,
    ),
    (
        "terms of old offers",
        BOOKINGS,
        "        impossible |= _withheld(connection, clinic, room, booker, known)\n",
        "",
        _OLD_OFFERS,
    ),
    (
        "a hold is a promise",
        BOOKINGS,
        "    return withheld - _held(connection, booker) if withheld else withheld\n",
        "    return withheld\n",
        _OLD_OFFERS,
    ),
    (
        "a promise ends with its hold",
        BOOKINGS,
        "            Appointment.hold_until > booker.now,\n",
        "",
        _OLD_OFFERS,
    ),
    (
        "holds that have not ended",
        BOOKINGS,
        "            Appointment.hold_until <= booker.now,\n",
        "",
        _SQLITE_BOOKINGS,
    ),
    (
        "own holds that have ended",
        BOOKINGS,
        "or_(Appointment.chat_id == booker.chat_id, *wanted)",
        "or_(*wanted)",
        _SQLITE_BOOKINGS,
    ),
    (
        "one's own holds go with a new one",
        BOOKINGS,
        "    _drop_own_holds(connection, booker)\n",
        "",
        _SQLITE_BOOKINGS,
    ),
    (
        "no deadlock between inserts",
        BOOKINGS,
        ".on_conflict_do_nothing()",
        "",
        ("tests/storage/test_bookings.py", "tests/storage/test_races.py", "-k", "postgresql"),
    ),
    (
        "movers queue up",
        BOOKINGS,
        '    if connection.dialect.name == "postgresql":\n        key',
        "    if False:\n        key",
        _LOCKS,
    ),
    (
        "uids stay when time moves",
        BOOKINGS,
        "sequence=Appointment.sequence + 1,\n                version",
        "version",
        _SQLITE_BOOKINGS,
    ),
    # The waiting list.
    (
        "a yes to what is offered",
        BOOKINGS,
        "    if effect.is_offered and not waitlist.stands(",
        "    if False and not waitlist.stands(",
        _WAITLIST,
    ),
    (
        "a time is offered to one at a time",
        WAITLIST,
        "busy=(*timetable.busy, *asked)",
        "busy=timetable.busy",
        _WAITLIST,
    ),
    (
        "offers are counted",
        WAITLIST,
        "        if len(before) >= MOST_OFFERS:\n",
        "        if False:\n",
        _WAITLIST,
    ),
    (
        "an answer holds its offer",
        WAITLIST,
        "        .with_for_update(of=WaitlistOffer)\n    ).first()",
        "    ).first()",
        _LOCKS,
    ),
    (
        "an offer is passed on once",
        WAITLIST,
        "order_by(WaitlistOffer.id).with_for_update(of=WaitlistOffer)",
        "order_by(WaitlistOffer.id)",
        _LOCKS,
    ),
    # Turns.
    ("the lock on a conversation", TURNS, "    .with_for_update(of=_CHATS)\n", "", _LOCKS),
    (
        "the revision of a turn",
        TURNS,
        "    if (stored.revision if stored else None) != writes.before_revision:\n",
        "    if False:\n",
        _TURNS,
    ),
    (
        "one update, one turn",
        TURNS,
        "    if not inbox.claim(connection, writes.update_id, now, bot_id=writes.bot_id):\n",
        "    inbox.claim(connection, writes.update_id, now, bot_id=writes.bot_id)\n    if False:\n",
        _TURNS,
    ),
    (
        "a refused turn leaves nothing",
        TURNS,
        "        with connection.begin_nested():\n            return",
        "        if True:\n            return",
        _TURNS,
    ),
    (
        "a verdict before a hold",
        TURNS,
        "            decisions.require(connection, chat_id, run, effect.service)\n"
        "            bookings.hold",
        "            bookings.hold",
        _TURNS,
    ),
    (
        "a verdict before a booking",
        TURNS,
        "            decisions.require(connection, chat_id, run, effect.service)\n"
        "            bookings.confirm",
        "            bookings.confirm",
        _TURNS,
    ),
    (
        "the revision of a conversation",
        CONVERSATIONS,
        ', _TABLE.c.revision == bindparam("before")',
        "",
        ("tests/storage/test_conversations.py", "-k", "sqlite"),
    ),
    # Verdicts.
    (
        "the verdict of this run",
        DECISIONS,
        "Decision.chat_id == chat_id, Decision.run == run",
        "Decision.chat_id == chat_id",
        _TURNS,
    ),
    (
        "the last verdict counts",
        DECISIONS,
        ".order_by(Decision.id.desc())",
        ".order_by(Decision.id)",
        _TURNS,
    ),
    (
        "the service that a verdict allows",
        DECISIONS,
        "decision is None or decision.bookable != service",
        "decision is None",
        _TURNS,
    ),
    # The inbox.
    (
        "what is done stays done",
        INBOX,
        '        set_={"state": DONE, "at": fresh.excluded.at, "payload": None},\n'
        "        where=table_of(Inbox).c.state.in_(_OPEN),\n",
        '        set_={"state": DONE, "at": fresh.excluded.at, "payload": None},\n',
        _INBOX,
    ),
    (
        "a failure changes nothing that is done",
        INBOX,
        "            where=Inbox.state.in_(_OPEN),\n",
        "",
        _INBOX,
    ),
    (
        "two bots are two",
        INBOX,
        "select(Inbox.state).where(Inbox.bot_id == bot_id, Inbox.update_id == update_id)",
        "select(Inbox.state).where(Inbox.update_id == update_id)",
        _INBOX,
    ),
    (
        "only what is parked is replayed",
        INBOX,
        "Inbox.update_id == update_id, Inbox.state == PARKED, Inbox.payload",
        "Inbox.update_id == update_id, Inbox.payload",
        _INBOX,
    ),
    # The outbox.
    (
        "the fence: which",
        OUTBOX,
        "(_TABLE.c.id == row_id, _TABLE.c.lease_token == token, ",
        "(_TABLE.c.lease_token == token, ",
        _LOCKS,
    ),
    (
        "the fence: whose",
        OUTBOX,
        "_TABLE.c.lease_token == token, _TABLE.c.state == state)",
        "_TABLE.c.state == state)",
        _OUTBOX,
    ),
    (
        "the fence: when",
        OUTBOX,
        "_TABLE.c.lease_token == token, _TABLE.c.state == state)",
        "_TABLE.c.lease_token == token)",
        _OUTBOX,
    ),
    (
        "a claim takes what waits",
        OUTBOX,
        '.where(Outbox.state == "pending", Outbox.due_at <= now,',
        ".where(Outbox.due_at <= now,",
        _OUTBOX,
    ),
    (
        "a claim takes what is due",
        OUTBOX,
        '.where(Outbox.state == "pending", Outbox.due_at <= now,',
        '.where(Outbox.state == "pending",',
        _OUTBOX,
    ),
    (
        "two claims never meet",
        OUTBOX,
        "        .with_for_update(skip_locked=True)",
        "        ",
        _LOCKS,
    ),
    (
        "what is armed is locked",
        OUTBOX,
        '_held(row_id, token, "claimed")).with_for_update()',
        '_held(row_id, token, "claimed"))',
        _LOCKS,
    ),
    (
        "a lease must end before a rescue",
        OUTBOX,
        "    ended = _TABLE.c.lease_until < now\n",
        "    ended = _TABLE.c.lease_until.is_not(None)\n",
        _OUTBOX,
    ),
    (
        "what was being sent is in doubt",
        OUTBOX,
        'last_error="LeaseEnded", **_in_doubt(), **_FREE',
        'last_error="LeaseEnded", state="pending", **_FREE',
        _LOCKS,
    ),
    (
        "a last look before a send",
        OUTBOX,
        "    if why := outbox_checks.why_not(connection, claimed, now):\n",
        "    if why := False:\n",
        _OUTBOX,
    ),
    (
        "copies are counted",
        OUTBOX,
        "_TABLE.c.doubts + 1 < each.copies",
        "_TABLE.c.doubts >= 0",
        _OUTBOX,
    ),
    (
        "attempts are counted",
        OUTBOX,
        "_TABLE.c.attempt < each.attempts",
        "_TABLE.c.attempt >= 0",
        _OUTBOX,
    ),
    (
        "one message for a key",
        OUTBOX,
        '    done = connection.execute(statement.on_conflict_do_nothing(index_elements=["key"]))\n',
        "    done = connection.execute(statement)\n",
        _OUTBOX,
    ),
    (
        "only plain values wait",
        OUTBOX,
        "not _PLAIN.fullmatch(value)",
        "False",
        _OUTBOX,
    ),
    (
        "a stop takes messages back",
        "storage/patients.py",
        "    withdrawals.of_patient(connection, chat_id, STOPPED)\n",
        "",
        _LOCKS,
    ),
)

GUARDS = tuple(Mutant(*row) for row in _TABLE)
