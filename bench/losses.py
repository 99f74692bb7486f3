"""What is lost when a bot is killed three times, beside bots that are built the usual ways.

Run `python -m bench.losses`. Thirty patients write 300 messages, one every 12 ms, whatever the bot
does; each answer of the Bot API takes 20 ms, as over a real line. The bot is ended with `kill -9`
three times on the way and started again; then it gets all the time it wants, and a clean end. What
counts is what it remembers. The usual ways are those of python-telegram-bot's own examples: a
`ConversationHandler` with `PicklePersistence`, which writes every 60 s, or set to every second; and
one without a dialogue that commits each message to SQLite before it answers.
"""

from __future__ import annotations

import asyncio
import pickle
import random  # noqa: TID251 - the proxy's, which spoils nothing here
import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from telegram import Update
from telegram.ext import (
    Application,
    BasePersistence,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    MessageHandler,
    PicklePersistence,
    filters,
)

from bot.playground import patients
from storage import migrations
from tests.faults import cluster, programs
from tests.faults.keepers import Keeper, kept
from tests.faults.programs import Orders
from tests.faults.proxy import proxy_to
from tests.standin import RunningStandIn, running_standin

PATIENTS, MESSAGES, EVERY = 30, 300, 0.012
KILLED_AFTER = (75, 150, 225)  # messages
ANSWERS_AFTER = 0.020  # seconds
STILL_FOR = 5.0  # seconds without a reply, after which the bot is done
ASKED = 0

Run = Callable[[Orders, Connection], None]


@dataclass(frozen=True, slots=True)
class Row:
    """How one bot came through."""

    bot: str
    sent: int
    lost: int
    twice: int
    unanswered: int  # patients who got no reply to what they wrote last


def pickling_bot(orders: Orders, ready: Connection) -> None:
    """Run a conversation whose persistence is left as it is."""
    _converse(orders, ready, PicklePersistence(orders.database_url))


def busily_pickling_bot(orders: Orders, ready: Connection) -> None:
    """Run the same with a persistence that writes every second."""
    _converse(orders, ready, PicklePersistence(orders.database_url, update_interval=1))


def committing_bot(orders: Orders, ready: Connection) -> None:
    """Run a bot that commits every message before it answers, and needs no dialogue."""
    kept_in = sqlite3.connect(orders.database_url, isolation_level=None)
    kept_in.execute("CREATE TABLE IF NOT EXISTS answers (update_id INTEGER)")

    async def note(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        kept_in.execute("INSERT INTO answers VALUES (?)", (update.update_id,))
        await _thank(update)

    _serve(orders, ready, MessageHandler(filters.TEXT, note), None)


def _converse(orders: Orders, ready: Connection, persistence: PicklePersistence) -> None:
    async def note(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
        assert context.user_data is not None
        context.user_data.setdefault("answers", []).append(update.update_id)
        await _thank(update)
        return ASKED

    dialogue = ConversationHandler(
        entry_points=[CommandHandler("start", note)],
        states={ASKED: [MessageHandler(filters.TEXT, note)]},
        fallbacks=[],
        name="intake",
        persistent=True,
    )
    _serve(orders, ready, dialogue, persistence)


def _serve(
    orders: Orders,
    ready: Connection,
    handler: Any,
    persistence: BasePersistence[Any, Any, Any] | None,
) -> None:
    programs.settle_in(orders.log)
    builder = Application.builder().token(orders.token).base_url(f"{orders.api_url}/bot")
    if persistence is not None:
        builder = builder.persistence(persistence)
    application = builder.build()
    application.add_handler(handler)
    ready.send("")
    application.run_polling()


async def _thank(update: Update) -> None:
    assert update.message is not None
    await update.message.reply_text("Thank you. What else?")


def in_pickle(file: Path) -> Collection[int]:
    """Return the updates that a persistence remembers."""
    users = pickle.loads(file.read_bytes())["user_data"] if file.exists() else {}  # noqa: S301
    return [each for data in users.values() for each in data.get("answers", [])]


def in_answers(file: Path) -> Collection[int]:
    """Return the updates that the plain table holds."""
    return _column(file, "SELECT update_id FROM answers")


def in_trail(file: Path) -> Collection[int]:
    """Return the updates of our audit trail."""
    return _column(file, "SELECT update_id FROM events")


def _column(file: Path, query: str) -> Collection[int]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute(query)]


async def measured(folder: Path) -> AsyncIterator[Row]:
    """Let each bot go through the same; yield how each came through."""
    usual: tuple[tuple[str, Run, Callable[[Path], Collection[int]]], ...] = (
        ("PTB, PicklePersistence as it is", pickling_bot, in_pickle),
        ("PTB, PicklePersistence every second", busily_pickling_bot, in_pickle),
        ("PTB, SQLite commit before each answer", committing_bot, in_answers),
    )
    for name, run, remembered in usual:
        file = folder / run.__name__
        async with _line(folder, str(file)) as (standin, orders):
            sent, unanswered = await _goes_through(standin, Keeper(orders, run=run))
        yield _row(name, sent, remembered(file), unanswered)
    file = folder / "resurface.db"
    await asyncio.to_thread(migrations.upgrade, f"sqlite:///{file}")
    await (await cluster.with_clinics(f"sqlite:///{file}")).close()
    async with _line(folder, f"sqlite:///{file}") as (standin, orders):
        sent, unanswered = await _goes_through(standin, Keeper(orders))
    yield _row("Resurface, SQLite", sent, in_trail(file), unanswered)


def _row(name: str, sent: Collection[int], remembered: Collection[int], unanswered: int) -> Row:
    times = Counter(remembered)
    lost = sum(each not in times for each in sent)
    return Row(name, len(sent), lost, sum(times.values()) - len(times), unanswered)


@asynccontextmanager
async def _line(folder: Path, database: str) -> AsyncIterator[tuple[RunningStandIn, Orders]]:
    """Yield a fresh stand-in, and the orders of a bot that reaches it over a long line."""
    async with running_standin() as standin:
        port = urlsplit(standin.url).port or 0
        async with proxy_to("127.0.0.1", port, random.Random(7)) as proxy:
            proxy.latency = ANSWERS_AFTER
            address = f"http://{proxy.address}"
            yield standin, Orders(standin.token, address, database, str(folder / "log"))


async def _goes_through(standin: RunningStandIn, keeper: Keeper) -> tuple[Collection[int], int]:
    """Write and kill; return the updates that were sent, and how many patients wait in vain."""
    chats = [standin.state.chats.open("Pat") for _ in range(PATIENTS)]
    sent = []
    async with kept(keeper):
        await asyncio.sleep(2)
        for number in range(MESSAGES):
            words = "/start willow" if number < PATIENTS else "I have acne scars"
            patients.say(standin.state, chats[number % PATIENTS], words)
            sent.append(standin.state.queue.last_id)
            if number in KILLED_AFTER:
                keeper.kill()
            await asyncio.sleep(EVERY)
        seen = -1
        while (now := sum(chat.changes for chat in chats)) != seen:
            seen = now
            await asyncio.sleep(STILL_FOR)
        if keeper.program is not None:
            keeper.program.terminate()
            await keeper.program.ended()
    return sent, sum(not list(chat.messages.values())[-1].from_bot for chat in chats)


async def _run(folder: Path) -> None:
    kills = len(KILLED_AFTER)
    print(f"{MESSAGES} messages of {PATIENTS} patients in {MESSAGES * EVERY:.1f} s, {kills} kills")
    print(f"{'bot':<40}{'sent':>6}{'lost':>6}{'twice':>7}{'unanswered patients':>21}")
    async for row in measured(folder):
        print(
            f"{row.bot:<40}{row.sent:>6}{row.lost:>6}{row.twice:>7}{row.unanswered:>21}", flush=True
        )


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="rs-losses") as folder:
        asyncio.run(_run(Path(folder)))


if __name__ == "__main__":
    main()
