"""What every server of ours listens on."""

import asyncio
import socket

from bot.listening import bind


async def test_an_answer_in_two_parts_does_not_wait_for_the_other_side() -> None:
    """Whether the second part waits for the first one's acknowledgement, 40 ms on Linux."""
    seen = asyncio.get_running_loop().create_future()

    def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there: socket.socket = writer.get_extra_info("socket")
        seen.set_result(there.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    bound = bind("127.0.0.1", 0)
    async with await asyncio.start_server(accepted, sock=bound):
        _, writer = await asyncio.open_connection(*bound.getsockname())
        assert await seen
        writer.close()
