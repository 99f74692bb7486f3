"""Files in calls and in the patients' messages: photos, documents, and stand-ins to send."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, UnidentifiedImageError

from bot.playground.calls import Call, Upload
from bot.playground.chats import Chats, StoredFile
from bot.playground.refusals import bad_request

Json = dict[str, object]

# A voice note of no sound: the page shows a waveform, nothing plays it.
_OGG_HEAD = b"OggS\x00\x02" + bytes(22)


def read_file(chats: Chats, call: Call, name: str) -> StoredFile:
    """Return the file that a call sends: uploaded, or named by its id."""
    upload = call.upload(name)
    if upload is not None:
        return _keep(chats, upload, name)
    value = call.text(name)
    if value.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")
    if not value or value.startswith("attach://"):
        raise bad_request(f"there is no {name} in the request")
    return chats.file(value)


def photo_sizes(stored: StoredFile) -> list[Json]:
    """Return a photo as Telegram lists it, one size only."""
    return [{**stored.to_json(), "width": stored.width, "height": stored.height}]


def document(stored: StoredFile) -> Json:
    """Return a document in Telegram's shape."""
    return {**stored.to_json(), "file_name": stored.name, "mime_type": stored.mime_type}


def patient_photo(chats: Chats) -> Json:
    """Make a photo for a patient to send: a plain drawing, no real person."""
    content = _drawing("PNG")
    return {"photo": photo_sizes(chats.keep(content, "photo.png", "image/png", (320, 240)))}


def patient_voice(chats: Chats) -> Json:
    """Make a silent voice note for a patient to send."""
    stored = chats.keep(_OGG_HEAD, "voice.ogg", "audio/ogg")
    return {"voice": {**stored.to_json(), "duration": 3, "mime_type": stored.mime_type}}


def patient_sticker(chats: Chats) -> Json:
    """Make a sticker for a patient to send."""
    stored = chats.keep(_drawing("WEBP"), "sticker.webp", "image/webp", (320, 240))
    shape = {"width": 320, "height": 240, "is_animated": False, "is_video": False}
    return {"sticker": {**stored.to_json(), **shape, "type": "regular", "emoji": "👍"}}


def patient_document(chats: Chats) -> Json:
    """Make a text file for a patient to send."""
    stored = chats.keep(b"A page of notes.\n", "notes.txt", "text/plain")
    return {"document": document(stored)}


def patient_video(chats: Chats) -> Json:
    """Make an empty video for a patient to send."""
    stored = chats.keep(bytes(32), "video.mp4", "video/mp4")
    return {"video": {**stored.to_json(), "width": 320, "height": 240, "duration": 2}}


def patient_location(_chats: Chats) -> Json:
    """Make a location for a patient to send: the Royal Observatory, Greenwich."""
    return {"location": {"latitude": 51.4779, "longitude": -0.0015}}


PATIENT_MEDIA = {
    "photo": patient_photo,
    "voice": patient_voice,
    "sticker": patient_sticker,
    "document": patient_document,
    "video": patient_video,
    "location": patient_location,
}


def _keep(chats: Chats, upload: Upload, name: str) -> StoredFile:
    if name != "photo":
        return chats.keep(upload.content, upload.name, upload.mime_type)
    try:
        with Image.open(io.BytesIO(upload.content)) as image:
            size, kind = image.size, Image.MIME.get(image.format or "", "image/png")
    except (UnidentifiedImageError, OSError):
        raise bad_request("IMAGE_PROCESS_FAILED") from None
    if size[0] + size[1] > 10_000 or max(size) > 20 * min(size):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    return chats.keep(upload.content, upload.name, kind, size)


def _drawing(kind: str) -> bytes:
    image = Image.new("RGB", (320, 240), "#dfeee9")
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 40, 220, 180), fill="#f2c9ad")
    draw.rectangle((0, 196, 320, 240), fill="#8fb8ad")
    for x, y in ((138, 92), (178, 88), (150, 132), (184, 126)):
        draw.ellipse((x, y, x + 6, y + 6), fill="#d8a486")
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()
