"""Someone in front of the page: what they press, and what they can read."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

WITHIN = 15_000  # milliseconds


class Reader:
    """One person with one browser window."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.addresses: list[str] = []
        page.set_default_timeout(WITHIN)
        page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        page.on("console", self._note)
        page.on("request", lambda request: self.addresses.append(request.url))

    @property
    def log(self) -> Locator:
        """The messages."""
        return self.page.get_by_role("log")

    @property
    def field(self) -> Locator:
        """The field for writing."""
        return self.page.get_by_role("textbox", name="Message")

    def button(self, name: str) -> Locator:
        """The newest button with these words."""
        return self.page.get_by_role("button", name=name, exact=True).last

    async def opens(self, address: str) -> None:
        """Open the page and wait until it is there."""
        await self.page.goto(address)
        await self.button("Start").wait_for()

    async def starts(self, link: str = "") -> None:
        """Press Start, having followed a link where one is given."""
        if link:
            await self.page.locator("#link").select_option(link)
        await self.button("Start").click()

    async def taps(self, *names: str) -> None:
        """Press buttons, each once it is there and nothing is on its way."""
        for name in names:
            await expect(self.page.locator(".button.waiting")).to_have_count(0, timeout=WITHIN)
            await self.button(name).click()

    async def answers(self, *names: str | re.Pattern[str]) -> None:
        """Press buttons whose screen gives way to the next one, and wait until it does."""
        for name in names:
            keyboards = self.page.locator(".inline-keyboard")
            button = keyboards.get_by_role("button", name=name, exact=True).last
            await button.wait_for()
            pressed = await button.element_handle()
            assert pressed is not None
            await pressed.click()
            await pressed.wait_for_element_state("hidden", timeout=WITHIN)

    async def writes(self, text: str) -> None:
        """Type words and press Enter."""
        await self.field.fill(text)
        await self.field.press("Enter")

    async def reads(self, text: str) -> Locator:
        """Wait for words among the messages."""
        found = self.log.get_by_text(text).last
        await found.wait_for()
        return found

    async def sends(self, kind: str) -> None:
        """Choose something else to send."""
        await self.button("Send something else").click()
        await self.page.locator("#attach").get_by_role("button", name=kind).click()

    async def tabs_to(self, name: str, key: str = "Tab") -> None:
        """Press Tab until a control with this name has the focus."""
        for _ in range(40):
            await self.page.keyboard.press(key)
            focused = await self.page.evaluate(
                "(document.activeElement.getAttribute('aria-label')"
                " ?? document.activeElement.textContent).trim()"
            )
            if focused == name:
                return
        raise AssertionError(f"{name!r} cannot be reached with {key}")

    def _note(self, message: object) -> None:
        if getattr(message, "type", "") == "error":
            self.faults.append(str(getattr(message, "text", "")))
