"""A real CalDAV server that tests start: Radicale on a free port, in a folder of its own."""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests

USER, PASSWORD = "amara", "right"

_CONFIG = """
[server]
hosts = 127.0.0.1:{port}
max_connections = 20
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
cache_logins = True
[rights]
type = from_file
file = {folder}/rights
[storage]
filesystem_folder = {folder}/collections
[logging]
level = critical
"""

_RIGHTS = """
[all]
user: .+
collection: {{user}}(/.*)?
permissions: {permissions}
"""

MADE = (
    '<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
    "<D:set><D:prop><D:displayname>Mine</D:displayname></D:prop></D:set></C:mkcalendar>"
)


@dataclass
class Radicale:
    """One server; it keeps its port and folder when it is stopped and started again."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    is_read_only: bool = False  # from the next start on
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.folder.mkdir(exist_ok=True)
        self.port = self.port or _free_port()
        (self.folder / "users").write_text(f"{USER}:{PASSWORD}\n")
        permissions = "Rr" if self.is_read_only else "RrWw"
        (self.folder / "rights").write_text(_RIGHTS.format(permissions=permissions))
        config = self.folder / "config"
        config.write_text(_CONFIG.format(port=self.port, folder=self.folder))
        server = [sys.executable, "-m", f"{__package__}.careless_radicale", str(config)]
        self.process = subprocess.Popen(server)
        for _ in range(400):
            if self.process.poll() is not None:
                raise RuntimeError("Radicale ended")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError("Radicale does not answer")

    def stop(self) -> None:
        """Stop it; what it holds stays in its folder."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def calendar(self) -> Outside:
        """Make an empty calendar."""
        outside = Outside(f"{self.url}/{USER}/calendar{next(self.numbers)}/")
        outside.ask("MKCALENDAR", "", MADE)
        return outside


@dataclass
class Outside:
    """A calendar as the practitioner's own program uses it."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, name: str, body: str = "", **headers: str) -> requests.Response:
        """Send one request; raises when the server refuses it."""
        self.session.trust_env = False
        answer = self.session.request(
            method,
            self.url + name,
            data=body.encode(),
            headers=headers,
            auth=(USER, PASSWORD),
            timeout=20,
        )
        answer.raise_for_status()
        return answer

    def put(self, name: str, text: str) -> None:
        """Write one entry, over whatever is there."""
        self.ask("PUT", name, text, **{"Content-Type": "text/calendar; charset=utf-8"})

    def delete(self, name: str) -> None:
        """Delete one entry."""
        self.ask("DELETE", name)

    def everything(self) -> str:
        """Return the whole calendar as one file."""
        return self.ask("GET", "").text

    def names(self) -> set[str]:
        """Return the names of all entries."""
        body = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
        listed = self.ask("PROPFIND", "", body, Depth="1").text
        hrefs = [part.partition("</href>")[0] for part in listed.split("<href>")[1:]]
        return {href.rpartition("/")[2] for href in hrefs} - {""}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
