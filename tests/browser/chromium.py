"""Finds a browser: an installed Chromium or Chrome, else the one that Playwright downloads."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Playwright, async_playwright

INSTALL = (
    "NO BROWSER FOUND: install Chromium (Debian, Ubuntu: apt-get install chromium), Google Chrome, "
    "or run `.venv/bin/playwright install chromium`"
)
DRIVER = (
    "PLAYWRIGHT DOES NOT START: it may want a library that a bare system lacks (Debian, Ubuntu: "
    "apt-get install libatomic1)"
)
_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowser(Exception):
    """There is no browser on this machine, or nothing that can drive one."""


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Yield a running browser without a window; raises NoBrowser."""
    async with _driver() as playwright:
        path = _installed() or _own(playwright)
        if path is None:
            raise NoBrowser(INSTALL)
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        flags = [*_FLAGS, *(["--no-sandbox"] if root else [])]
        running = await playwright.chromium.launch(executable_path=path, args=flags)
        yield running
        await running.close()


@asynccontextmanager
async def _driver() -> AsyncIterator[Playwright]:
    manager = async_playwright()
    try:
        playwright = await manager.__aenter__()
    except Exception as fault:  # Playwright gives no error of its own
        raise NoBrowser(DRIVER) from fault
    try:
        yield playwright
    finally:
        await manager.__aexit__()


def _installed() -> str | None:
    found = (shutil.which(command) for command in _COMMANDS)
    macs = (path for path in _MAC if Path(path).exists())
    return next((path for path in (*found, *macs) if path), None)


def _own(playwright: Playwright) -> str | None:
    path = playwright.chromium.executable_path
    return path if Path(path).exists() else None
