"""Messages: sent, edited and deleted by PTB's own bot over real HTTP."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from telegram import (
    Bot,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from telegram.constants import ChatAction
from telegram.error import BadRequest, Forbidden

from tests.patient import Patient
from tests.standin import RunningStandIn

YES_NO = InlineKeyboardMarkup(
    [
        [
            InlineKeyboardButton("Yes", callback_data="y"),
            InlineKeyboardButton("No", callback_data="n"),
        ]
    ]
)


async def test_a_message_comes_back_as_telegram_would_return_it(bot: Bot, maya: Patient):
    sent = await bot.send_message(maya.chat_id, "<b>Hi</b> 5 &lt; 6", "HTML", reply_markup=YES_NO)

    assert (sent.text, sent.chat.type, sent.from_user.is_bot) == ("Hi 5 < 6", "private", True)
    assert sent.entities[0].type == "bold"
    assert sent.reply_markup == YES_NO
    assert (await maya.sees("Hi 5 < 6")).labels == ("Yes", "No")


async def test_an_edit_without_a_keyboard_takes_the_keyboard_away(bot: Bot, maya: Patient):
    sent = await bot.send_message(maya.chat_id, "One", reply_markup=YES_NO)
    edited = await bot.edit_message_text("Two", maya.chat_id, sent.message_id)

    assert (edited.text, edited.reply_markup) == ("Two", None)
    assert edited.edit_date is not None
    assert (await maya.sees("Two")).labels == ()


async def test_an_edit_that_changes_nothing_is_refused_but_noticed(bot: Bot, maya: Patient):
    sent = await bot.send_message(maya.chat_id, "Same", reply_markup=YES_NO)
    await maya.says("hm")

    with pytest.raises(BadRequest, match="is not modified"):
        await bot.edit_message_text("Same", maya.chat_id, sent.message_id, reply_markup=YES_NO)
    await maya.sees("Same")


async def test_the_keyboard_alone_can_be_edited(bot: Bot, maya: Patient):
    sent = await bot.send_message(maya.chat_id, "Sure?", reply_markup=YES_NO)
    edited = await bot.edit_message_reply_markup(maya.chat_id, sent.message_id)

    assert (edited.text, edited.reply_markup) == ("Sure?", None)


async def test_a_photo_has_its_size_and_can_be_sent_again_by_id(bot: Bot, maya: Patient):
    sent = await bot.send_photo(maya.chat_id, _png(60, 40), caption="Look")
    again = await bot.send_photo(maya.chat_id, sent.photo[-1].file_id)

    assert (sent.photo[-1].width, sent.photo[-1].height, sent.caption) == (60, 40, "Look")
    assert again.photo[-1].file_id == sent.photo[-1].file_id
    assert await maya.downloads(await maya.sees_photo()) == _png(60, 40)
    assert len(maya.photos) == 2


async def test_a_caption_and_a_photo_can_be_changed(bot: Bot, maya: Patient):
    sent = await bot.send_photo(maya.chat_id, _png(60, 40), caption="Before")
    await bot.edit_message_caption(maya.chat_id, sent.message_id, caption="After")
    media = InputMediaPhoto(_png(80, 50), caption="Other")
    changed = await bot.edit_message_media(media, maya.chat_id, sent.message_id)

    assert (changed.caption, changed.photo[-1].width) == ("Other", 80)


async def test_a_document_arrives_whole_and_can_be_fetched(bot: Bot, maya: Patient):
    sent = await bot.send_document(maya.chat_id, b"BEGIN", filename="a.ics", caption="File")
    fetched = await (await bot.get_file(sent.document.file_id)).download_as_bytearray()

    assert bytes(fetched) == b"BEGIN"
    assert await maya.downloads(await maya.sees_document()) == b"BEGIN"
    assert maya.documents[0].text == "File"


async def test_a_deleted_message_is_gone(bot: Bot, maya: Patient):
    sent = await bot.send_message(maya.chat_id, "Oops")
    assert await bot.delete_message(maya.chat_id, sent.message_id)

    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(maya.chat_id, sent.message_id)


async def test_a_message_older_than_two_days_stays(
    standin: RunningStandIn, bot: Bot, maya: Patient
):
    sent = await bot.send_message(maya.chat_id, "Old")
    standin.moves(hours=49)

    with pytest.raises(BadRequest, match="can't be deleted"):
        await bot.delete_message(maya.chat_id, sent.message_id)


async def test_a_reply_keyboard_shows_until_it_is_removed(
    standin: RunningStandIn, bot: Bot, maya: Patient
):
    ask = ReplyKeyboardMarkup([[KeyboardButton("My number", request_contact=True), "No"]])
    await bot.send_message(maya.chat_id, "Number?", reply_markup=ask)
    await maya.shares_contact()
    chat = standin.state.chats.chat(maya.chat_id)
    assert chat.keyboard is not None

    await bot.send_message(maya.chat_id, "Thanks", reply_markup=ReplyKeyboardRemove())
    assert chat.keyboard is None


async def test_typing_is_accepted_and_needs_an_action(bot: Bot, maya: Patient):
    assert await bot.send_chat_action(maya.chat_id, ChatAction.TYPING)
    with pytest.raises(BadRequest, match=r"[Ww]rong parameter action"):
        await bot.send_chat_action(maya.chat_id, "")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("", "text is empty"), ("  ", "text is empty"), ("x" * 4097, "is too long")],
)
async def test_texts_outside_the_limits_are_refused(
    bot: Bot, maya: Patient, text: str, complaint: str
):
    with pytest.raises(BadRequest, match=complaint):
        await bot.send_message(maya.chat_id, text)


async def test_a_caption_over_the_limit_is_refused(bot: Bot, maya: Patient):
    await bot.send_document(maya.chat_id, b"x", caption="x" * 1024)
    with pytest.raises(BadRequest, match="caption is too long"):
        await bot.send_document(maya.chat_id, b"x", caption="x" * 1025)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([[InlineKeyboardButton("x", callback_data="ж" * 33)]], "[Bb]utton_data_invalid"),
        ([[InlineKeyboardButton("x", callback_data="x")]] * 101, "markup is too long"),
        ([[InlineKeyboardButton(" ", callback_data="x")]], "must be non-empty"),
        ([[InlineKeyboardButton("x", url="nonsense")]], "Wrong HTTP URL"),
        ([[InlineKeyboardButton("x")]], "unallowed"),
        ([[InlineKeyboardButton("x", copy_text=CopyTextButton("x" * 257))]], "copy_text_invalid"),
    ],
)
async def test_keyboards_that_telegram_refuses_are_refused(
    bot: Bot, maya: Patient, rows: list[list[InlineKeyboardButton]], complaint: str
):
    with pytest.raises(BadRequest, match=f"(?i){complaint}"):
        await bot.send_message(maya.chat_id, "x", reply_markup=InlineKeyboardMarkup(rows))


async def test_a_hundred_buttons_and_64_bytes_are_fine(bot: Bot, maya: Patient):
    row = [InlineKeyboardButton("x", callback_data="x" * 64)]
    sent = await bot.send_message(maya.chat_id, "x", reply_markup=InlineKeyboardMarkup([row] * 100))

    assert len(sent.reply_markup.inline_keyboard) == 100


async def test_edits_of_what_is_not_there_or_not_ours_are_refused(bot: Bot, maya: Patient):
    photo = await bot.send_photo(maya.chat_id, _png(60, 40))
    text = await bot.send_message(maya.chat_id, "x")
    mine = next(said for said in maya.said if not said.from_bot)

    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("x", maya.chat_id, 999)
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", maya.chat_id, mine.message_id)
    with pytest.raises(BadRequest, match="no text in the message"):
        await bot.edit_message_text("x", maya.chat_id, photo.message_id)
    with pytest.raises(BadRequest, match="no caption in the message"):
        await bot.edit_message_caption(maya.chat_id, text.message_id, caption="x")


async def test_nobody_can_be_written_to_before_they_start_or_after_they_block(
    standin: RunningStandIn, bot: Bot, maya: Patient
):
    async with await standin.new_patient("Noor") as noor:
        with pytest.raises(Forbidden, match="can't initiate conversation"):
            await bot.send_message(noor.chat_id, "Hello?")
    await maya.blocks()
    with pytest.raises(Forbidden, match="blocked by the user"):
        await bot.send_message(maya.chat_id, "Hello?")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(1, "Hello?")


@pytest.mark.parametrize(
    ("photo", "complaint"),
    [
        (b"no picture", "image_process_failed"),
        ("https://example.org/a.png", "failed to get HTTP URL content"),
        ("unknown-id", "wrong file_id"),
    ],
)
async def test_photos_that_are_none_are_refused(
    bot: Bot, maya: Patient, photo: bytes | str, complaint: str
):
    with pytest.raises(BadRequest, match=f"(?i){complaint}"):
        await bot.send_photo(maya.chat_id, photo)


async def test_a_photo_too_long_for_its_height_is_refused(bot: Bot, maya: Patient):
    with pytest.raises(BadRequest, match=r"(?i)photo_invalid_dimensions"):
        await bot.send_photo(maya.chat_id, _png(2100, 100))


async def test_markup_other_than_html_is_refused(bot: Bot, maya: Patient):
    with pytest.raises(BadRequest, match=r"(?i)HTML only"):
        await bot.send_message(maya.chat_id, "*x*", "MarkdownV2")


def _png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "#0f6d63").save(buffer, "PNG")
    return buffer.getvalue()
