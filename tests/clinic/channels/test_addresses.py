"""A webhook cannot be made to reach what only this machine reaches."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from clinic.channels.addresses import Guard
from storage.lead_channels import ChannelFault
from tests.clinic.channels.receiver import Receiver
from tests.clinic.channels.world import WILLOW, World

REFUSED = [
    "http://example.org/hook",
    "ftp://example.org/hook",
    "https://",
    "https:///hook",
    "https://user:secret@example.org/",
    "https://example.org/#part",
    "https://example.org:99999/",
    "https://exa mple.org/",
    "https://example.org\\@127.0.0.1/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://10.0.0.8/",
    "https://192.168.1.4/",
    "https://169.254.169.254/latest/meta-data",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::1]/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://" + "a" * 500,
]

TAKEN = [
    "https://example.org",
    "https://example.org:8443/hook?key=1",
    "https://93.184.215.14/hook",
    "https://[2606:4700:4700::1111]/hook",
    "https://xn--bcher-kva.example/hook",
]

AT_HOME = ["http://127.0.0.1:8080/hook", "http://localhost/hook", "https://192.168.1.4/hook"]


class Names(AbstractResolver):
    """Answers each question about a name with the next of its answers."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return one address."""
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        kind = socket.AF_INET6 if ":" in answer else socket.AF_INET
        return [ResolveResult(hostname=host, host=answer, port=port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_that_cannot_be_a_receiver_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(ChannelFault, match="a webhook's address must"):
        Guard().check(url)


@pytest.mark.parametrize("url", TAKEN)
def test_a_public_address_is_taken(url: str) -> None:
    Guard().check(url)


@pytest.mark.parametrize("url", AT_HOME)
def test_an_address_at_home_is_taken_where_the_setting_allows_it(url: str) -> None:
    Guard(private=True).check(url)
    with pytest.raises(ChannelFault):
        Guard().check(url)


@pytest.mark.parametrize(
    "url", ["http://example.org/", "http://192.168.1.4/", "https://169.254.169.254/"]
)
def test_even_then_nothing_goes_in_the_clear_or_to_a_clouds_secrets(url: str) -> None:
    with pytest.raises(ChannelFault):
        Guard(private=True).check(url)


async def reached(world: World, receiver: Receiver, **changes: Any) -> tuple[str, str | None]:
    """Add the receiver where it is allowed, then deliver with the changes."""
    await world.channels.add(WILLOW, receiver.url)
    world.changes |= changes
    await world.lead()
    await world.send()
    (row,) = await world.messages()
    return row.state, row.last_error


async def test_a_receiver_of_this_machine_is_not_called_without_the_setting(
    world: World, receiver: Receiver
) -> None:
    result = await reached(world, receiver, guard=Guard())

    assert (result, receiver.requests) == (("pending", "address_refused"), [])


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fe80::1"]
)
async def test_a_name_that_leads_inside_is_not_called(
    world: World, receiver: Receiver, address: str
) -> None:
    receiver.url = receiver.url.replace("http://127.0.0.1", "https://inside.example")

    result = await reached(world, receiver, guard=Guard(), resolver=Names(address))

    assert (result, receiver.requests) == (("pending", "address_refused"), [])


async def test_a_name_that_changes_its_answer_is_asked_once_and_judged_by_it(
    world: World, receiver: Receiver
) -> None:
    names = Names("127.0.0.1", "93.184.215.14")
    receiver.url = receiver.url.replace("http://127.0.0.1", "https://rebinding.example")

    result = await reached(world, receiver, guard=Guard(), resolver=names)

    assert (result, names.asked) == (("pending", "address_refused"), 1)


async def test_the_socket_goes_to_the_very_address_that_was_judged(world: World) -> None:
    judged: list[str] = []

    class Watching(Guard):
        def allows(self, address: str, scheme: str) -> bool:
            judged.append(address)
            return Guard(private=True).allows(address, scheme)

    async def take(request: web.Request) -> web.Response:
        judged.append(f"connected to {request.transport.get_extra_info('sockname')[0]}")
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.2", 0).start()
    try:
        receiver = Receiver(url=f"http://localhost:{runner.addresses[0][1]}/hook")
        names = Names("127.0.0.2", "127.0.0.1")
        result = await reached(world, receiver, guard=Watching(), resolver=names)
    finally:
        await runner.cleanup()

    assert result == ("sent", None)
    assert judged == ["127.0.0.2", "connected to 127.0.0.2"]


async def test_a_redirect_is_not_followed(world: World, receiver: Receiver) -> None:
    receiver.mood = lambda _id, _tries: 307
    receiver.headers = {"Location": receiver.url}

    result = await reached(world, receiver)

    assert (result, len(receiver.requests)) == (("pending", "http_307"), 1)
