"""A small bot with a fixed script: everything the page must show, without the clinic behind it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from PIL import Image, ImageDraw
from telegram import (
    BotCommand,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    Update,
)
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

WELCOME = (
    "Hello <b>{name}</b>, this is the <i>scripted</i> bot.\n"
    "It shows what the page can do. Type /help at any time.\n\n"
    "Shall we begin?"
)


@asynccontextmanager
async def scripted_bot(
    url: str, token: str
) -> AsyncIterator[Application[Any, Any, Any, Any, Any, Any]]:
    """Run the bot against the stand-in at `url` until the block ends."""
    builder = Application.builder().token(token)
    app = builder.base_url(f"{url}/bot").base_file_url(f"{url}/file/bot").build()
    app.add_handler(CommandHandler("start", _start))
    app.add_handler(CallbackQueryHandler(_tapped))
    app.add_handler(MessageHandler(filters.UpdateType.EDITED_MESSAGE, _edited))
    app.add_handler(MessageHandler(filters.CONTACT, _shared))
    app.add_handler(MessageHandler(filters.TEXT, _said))
    app.add_handler(MessageHandler(filters.ALL, _media))
    async with app:
        await app.start()
        await app.updater.start_polling(timeout=5, poll_interval=0)
        await app.bot.set_my_description("I show what this page can do.\nNothing here is real.")
        await app.bot.set_my_commands([BotCommand("start", "Begin"), BotCommand("help", "Help")])
        try:
            yield app
        finally:
            await app.updater.stop()
            await app.stop()


def _keyboard(*rows: list[tuple[str, str]]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(text, callback_data=data) for text, data in row] for row in rows]
    )


async def _start(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    keyboard = _keyboard(
        [("Yes, let's begin", "picture")], [("Tell me more", "more"), ("Not now", "toast")]
    )
    name = update.effective_user.first_name
    await update.effective_message.reply_html(WELCOME.format(name=name), reply_markup=keyboard)


async def _tapped(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    query = update.callback_query
    match query.data:
        case "toast":
            await query.answer("Take your time")
        case "more":
            await query.answer("This is an alert", show_alert=True)
        case "picture":
            await query.answer()
            await query.edit_message_text("Began · <b>yes</b>", parse_mode="HTML")
            keyboard = _keyboard([("Left", "contact"), ("Right", "contact")])
            await query.message.reply_photo(_picture(), "Which one?", reply_markup=keyboard)
        case _:
            await query.answer()
            await query.edit_message_caption("Which one? · chosen")
            ask = ReplyKeyboardMarkup(
                [[KeyboardButton("Share my number", request_contact=True)], ["Write here instead"]],
                resize_keyboard=True,
                one_time_keyboard=True,
                input_field_placeholder="Or type your number",
            )
            await query.message.reply_text("How can we reach you?", reply_markup=ask)


async def _shared(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    copy = InlineKeyboardMarkup(
        [
            [InlineKeyboardButton("Copy the code", copy_text=CopyTextButton("RS-4821"))],
            [InlineKeyboardButton("Map", url="https://example.org/map")],
        ]
    )
    message = update.effective_message
    await message.reply_text("Thank you.", reply_markup=ReplyKeyboardRemove())
    await message.reply_document(
        b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        caption="All done",
        filename="visits.ics",
        reply_markup=copy,
    )


async def _said(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    await update.effective_message.reply_text(f"You said: {update.effective_message.text}")


async def _edited(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    await update.effective_message.reply_text(f"Now it says: {update.effective_message.text}")


async def _media(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    await update.effective_message.reply_text("Nice. I can only read words, though.")


def _picture() -> bytes:
    image = Image.new("RGB", (640, 360), "#f3e6da")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 180, 320, 360), fill="#dba98a")
    draw.ellipse((380, 90, 560, 270), fill="#c98a6b")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
