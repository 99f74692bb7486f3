"""Patients' links, and posters that a phone can read."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
import segno
from PIL import Image

from clinic import links
from clinic.links import LinkFault, Poster
from storage import protocol_files

LINK = "https://t.me/willow_bot?start=willow-spring"


def a_poster(clinic: str = "Willow Skin Clinic", campaign: str = "") -> Poster:
    words = protocol_files.load_catalogues()["en"]
    return Poster(clinic, "+44 20 7946 0000", LINK, words, campaign)


def test_a_link_names_the_clinic_and_the_campaign() -> None:
    assert links.address("willow_bot", "willow") == "https://t.me/willow_bot?start=willow"
    assert links.address("willow_bot", "willow", "spring") == LINK
    assert links.address("", "willow") == "https://t.me/YOUR_BOT?start=willow"


@pytest.mark.parametrize("campaign", ["spring sale", "ä", "x" * 41, "a/b", "a&b"])
def test_a_campaign_that_telegram_would_not_carry_is_refused(campaign: str) -> None:
    with pytest.raises(LinkFault, match="a campaign must be 1 to 40 of"):
        links.address("willow_bot", "willow", campaign)


def test_the_longest_link_is_one_that_telegram_opens() -> None:
    payload = links.address("b", "x" * 20, "y" * 40).partition("start=")[2]

    assert len(payload) <= 64


def test_the_picture_is_the_code_of_the_link(tmp_path: Path) -> None:
    code, _ = links.write(tmp_path / "new", "willow-spring", a_poster())

    wanted = segno.make_qr(LINK, error="q")
    with Image.open(code) as picture:
        dots = picture.convert("1").resize(wanted.symbol_size(border=4), Image.Resampling.NEAREST)
        found = [[not dots.getpixel((x, y)) for x in range(dots.width)] for y in range(dots.height)]
    assert [[bool(dot) for dot in row] for row in wanted.matrix_iter(border=4)] == found


def test_the_poster_is_a_drawing_with_the_clinic_and_short_words(tmp_path: Path) -> None:
    _, sheet = links.write(tmp_path, "willow", a_poster("Willow & <Park>"))

    root = ElementTree.fromstring(sheet.read_text("utf-8"))  # noqa: S314 - our own drawing
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert (root.get("width"), root.get("height")) == ("148mm", "210mm")
    assert texts[0] == "Willow & <Park>"
    assert "Scan to chat with our assistant in Telegram." in texts
    assert texts[-1] == "+44 20 7946 0000"
    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) == 1


def test_the_posters_of_two_campaigns_can_be_told_apart_on_paper() -> None:
    plain, spring = links.drawing(a_poster()), links.drawing(a_poster(campaign="spring"))

    added = [line for line in spring.splitlines() if line not in plain.splitlines()]
    assert len(added) == 1
    assert ElementTree.fromstring(added[0]).text == "spring"  # noqa: S314 - our own drawing
