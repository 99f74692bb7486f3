"""One call of the Bot API, read from any of the ways a client may send it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.requests import Request

from bot.playground import limits
from bot.playground.refusals import Refusal, bad_request

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a call."""

    name: str
    content: bytes
    mime_type: str


@dataclass(frozen=True, slots=True)
class Call:
    """A method's name and its arguments."""

    method: str
    fields: Mapping[str, object]
    uploads: Mapping[str, Upload] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """Return a string argument."""
        value = self.fields.get(name)
        return default if value is None else str(value)

    def number(self, name: str, default: int = 0) -> int:
        """Return a whole number."""
        value = self.text(name).strip()
        if not value:
            return default
        try:
            return int(float(value))
        except ValueError:
            raise bad_request(f"parameter {name} must be a number") from None

    def flag(self, name: str) -> bool:
        """Return a yes or no."""
        return self.text(name).lower() in ("true", "1", "yes")

    def structure(self, name: str) -> object:
        """Return an object or list, which clients send as JSON inside a string; None if absent."""
        value = self.fields.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None

    def upload(self, name: str) -> Upload | None:
        """Return the file sent as `name`, also by `attach://`; None for ids and addresses."""
        value = self.text(name)
        if value.startswith("attach://"):
            return self.uploads.get(value.removeprefix("attach://"))
        return self.uploads.get(name)

    @property
    def chat_id(self) -> int | None:
        """Return the chat that the call is about, where it names one."""
        return self.number("chat_id") or None


async def read_call(method: str, request: Request) -> Call:
    """Read a call from the address, a form, a multipart form or JSON."""
    fields: dict[str, object] = dict(request.query_params)
    uploads: dict[str, Upload] = {}
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        fields.update(await _json_object(request))
    elif request.method == "POST":
        async with request.form(max_part_size=limits.UPLOAD) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    uploads[name] = await _uploaded(value)
                else:
                    fields[name] = value
    return Call(method, fields, uploads)


async def _json_object(request: Request) -> Json:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise bad_request("request body must be a JSON object")
    return body


async def _uploaded(value: UploadFile) -> Upload:
    content = await value.read()
    if len(content) > limits.UPLOAD:
        raise Refusal(413, "Request Entity Too Large")
    name = value.filename or "file"
    return Upload(name, content, value.content_type or "application/octet-stream")
