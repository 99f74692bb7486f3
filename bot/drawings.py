"""Pictures ready to send: drawn once, then named by the id under which Telegram keeps them."""

from __future__ import annotations

import asyncio

from bot import pictures
from bot.page import Page
from bot.sender import Upload

TIMELINE = "timeline"


class Drawings:
    """Draws what is asked for, in a thread, and remembers what Telegram already holds."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], str] = {}

    async def upload(self, name: str, page: Page) -> Upload:
        """Return the picture `name` for this page. KeyError for a name that nobody draws."""
        caption = self._caption(name, page)
        file_id = self._held.get((name, page.locale), "")
        if file_id:
            return Upload(f"{name}.png", file_id=file_id, caption=caption)
        content = await asyncio.to_thread(_drawn, name, page)
        return Upload(f"{name}.png", content, caption=caption)

    def remember(self, name: str, page: Page, file_id: str) -> None:
        """Keep the id of a picture that is the same for every patient."""
        if name != TIMELINE and file_id:
            self._held[name, page.locale] = file_id

    def forget(self, name: str, page: Page) -> None:
        """Draw the picture anew next time: Telegram refused the id."""
        self._held.pop((name, page.locale), None)

    def _caption(self, name: str, page: Page) -> str:
        step = page.step
        if name == TIMELINE or step is None:
            return page.say("screen.plan.picture")
        return page.say(f"step.{step.id}.picture")


def _drawn(name: str, page: Page) -> bytes:
    if name == "scar_types":
        return pictures.scar_types(page.catalogue)
    plan = page.position.plan()
    if name != TIMELINE or plan is None:
        raise KeyError(name)
    return pictures.timeline(plan, page.catalogue, page.locale)
