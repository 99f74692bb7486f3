"""Telegram's HTML subset."""

from __future__ import annotations

import pytest

from bot.playground.entities import parse_html, plain, units, with_found
from bot.playground.refusals import Refusal


def test_tags_become_entities_and_the_text_is_plain():
    text, entities = parse_html("Hello <b>you <i>there</i></b>")

    assert text == "Hello you there"
    assert entities == [
        {"type": "bold", "offset": 6, "length": 9},
        {"type": "italic", "offset": 10, "length": 5},
    ]


def test_offsets_count_utf16_units():
    _, entities = parse_html("😀 <b>hi</b>")

    assert entities == [{"type": "bold", "offset": 3, "length": 2}]
    assert units("😀") == 2


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("<strong>x</strong>", "bold"),
        ("<u>x</u>", "underline"),
        ("<del>x</del>", "strikethrough"),
        ("<code>x</code>", "code"),
        ("<pre>x</pre>", "pre"),
        ("<tg-spoiler>x</tg-spoiler>", "spoiler"),
        ('<span class="tg-spoiler">x</span>', "spoiler"),
        ("<blockquote>x</blockquote>", "blockquote"),
        ("<blockquote expandable>x</blockquote>", "expandable_blockquote"),
    ],
)
def test_every_tag_of_the_subset_is_known(source: str, kind: str):
    text, entities = parse_html(source)

    assert text == "x"
    assert [entity["type"] for entity in entities] == [kind]


def test_a_link_keeps_its_address():
    _, entities = parse_html('<a href="https://example.org/?a=1&amp;b=2">map</a>')

    assert entities[0]["url"] == "https://example.org/?a=1&b=2"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a &lt;b&gt; &amp; &quot;c&quot;", 'a <b> & "c"'),
        ("&#8211;", "–"),
        ("AT&T &nbsp;", "AT&T &nbsp;"),
    ],
)
def test_only_the_four_named_escapes_and_numbers_are_decoded(source: str, words: str):
    assert parse_html(source)[0] == words


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("<div>x</div>", 'Unsupported start tag "div" at byte offset 0'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("5 < 6", "Unclosed start tag at byte offset 2"),
    ],
)
def test_broken_markup_is_refused_in_telegrams_words(source: str, complaint: str):
    with pytest.raises(Refusal) as refused:
        parse_html(source)

    assert refused.value.description == f"Bad Request: can't parse entities: {complaint}"


def test_text_is_trimmed_and_entities_move_along():
    text, entities = parse_html("  <b>hi</b> there \n")

    assert text == "hi there"
    assert entities == [{"type": "bold", "offset": 0, "length": 2}]
    assert plain("  hi ") == ("hi", [])


def test_addresses_and_commands_are_found_in_plain_words():
    found = with_found("See https://example.org/a, or /help. Not a/b.", [])

    assert found == [
        {"type": "url", "offset": 4, "length": 21},
        {"type": "bot_command", "offset": 30, "length": 5},
    ]


def test_nothing_is_found_inside_an_entity():
    linked = {"type": "text_link", "offset": 0, "length": 5, "url": "https://example.org"}

    assert with_found("/help", [linked]) == [linked]
