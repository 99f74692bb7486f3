"""*Settings, Links*: what patients scan, for owners and staff alike."""

from __future__ import annotations

import pytest

from tests.clinic.console.world import Browser, ConsoleWorld


async def test_everybody_reads_the_link_of_a_campaign(member: Browser) -> None:
    page = (await member.get("/settings/links?campaign=spring")).text

    assert "https://t.me/willow_skin_bot?start=willow-spring" in page
    assert "/settings/links/poster.svg?campaign=spring" in page


async def test_the_code_and_the_poster_are_files(member: Browser) -> None:
    code = await member.get("/settings/links/code.png?campaign=spring")
    poster = await member.get("/settings/links/poster.svg?campaign=spring&save=yes")

    assert code.headers["content-type"] == "image/png"
    assert code.content.startswith(b"\x89PNG")
    assert poster.headers["content-disposition"] == 'attachment; filename="willow-spring.svg"'
    assert "Willow Skin Clinic" in poster.text
    assert ">spring</text>" in poster.text


@pytest.mark.parametrize("campaign", ["two words", "ümlaut", "x" * 41, "<i>"])
async def test_a_campaign_that_telegram_would_not_open_is_refused(
    member: Browser, campaign: str
) -> None:
    page = await member.get(f"/settings/links?campaign={campaign}")
    code = await member.get(f"/settings/links/code.png?campaign={campaign}")

    assert (page.status_code, "no spaces" in page.text, code.status_code) == (422, True, 404)


async def test_nothing_is_printed_without_the_bot_s_name(
    world: ConsoleWorld, member: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent() -> str:
        raise OSError

    monkeypatch.setattr(world.telegram, "username", silent)
    page = await member.get("/settings/links")

    assert "t.me/YOUR_BOT?start=willow" in page.text
    assert "code.png" not in page.text
    assert (await member.get("/settings/links/code.png")).status_code == 502
