// Messages as bubbles. Formatting comes as entities (offsets in UTF-16 units, as JavaScript counts)
// and is built node by node: nothing the bot or a patient wrote is ever parsed as HTML here.

import { el, icon } from "./dom.js";
import { fileAddress } from "./wire.js";

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote", spoiler: "span",
};
const SAFE_LINK = /^(https?|mailto|tel):/i;

export function words(text, entities, on) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return nested(text, sorted, 0, text.length, on);
}

function nested(text, entities, from, to, on) {
  const out = document.createDocumentFragment();
  let at = from;
  while (entities.length) {
    const entity = entities.shift();
    if (entity.offset < at) continue;
    const end = Math.min(entity.offset + entity.length, to);
    out.append(text.slice(at, entity.offset));
    const inner = [];
    while (entities.length && entities[0].offset < end) inner.push(entities.shift());
    const node = formatted(entity, text.slice(entity.offset, end), on);
    node.append(nested(text, inner, entity.offset, end, on));
    out.append(node);
    at = end;
  }
  out.append(text.slice(at, to));
  return out;
}

function formatted(entity, covered, on) {
  if (entity.type === "bot_command") {
    return el("button", { type: "button", class: "command", onclick: () => on.say(covered) });
  }
  const address = entity.type === "url" ? covered : entity.url;
  if (address && SAFE_LINK.test(address)) return outside(address, "");
  const node = el(TAGS[entity.type] ?? "span", { class: entity.type });
  if (entity.type === "spoiler") {
    node.tabIndex = 0;
    const show = () => node.classList.add("shown");
    node.addEventListener("click", show);
    node.addEventListener("keydown", (event) => event.key === "Enter" && show());
  }
  return node;
}

function outside(address, kind) {
  return el("a", { href: address, class: kind, target: "_blank", rel: "noopener noreferrer" });
}

// One message: bubble, keyboard and all. `on` holds what its parts do: tap, copy, view, say, edit.
export function bubble(message, time, on) {
  const mine = !message.from_bot;
  const text = message.text ?? message.caption ?? "";
  const body = el("div", { class: "bubble" });
  const picture = part(message, on);
  if (picture) body.append(picture);
  if (text) {
    const entities = message.entities ?? message.caption_entities ?? [];
    body.append(el("div", { class: "words" }, words(text, entities, on)));
  }
  body.append(stamp(message, time, mine));
  const node = el("article", {
    class: `message ${mine ? "mine" : "theirs"}${message.sticker ? " bare" : ""}`,
    "data-id": message.message_id,
    "aria-label": `${mine ? "Patient" : "Bot"}, ${time.clock}`,
  }, body);
  if (mine && message.text) node.append(editButton(message, on));
  const rows = message.reply_markup?.inline_keyboard ?? [];
  if (rows.length) node.append(inlineKeyboard(message, rows, on));
  return node;
}

function stamp(message, time, mine) {
  const edited = message.edit_date && (mine || !message.reply_markup) ? "edited " : "";
  const ticks = mine ? el("span", { class: "ticks", "aria-label": "delivered" }, "✓✓") : null;
  const shown = el("time", { datetime: time.iso }, time.clock);
  return el("p", { class: "stamp" }, edited, shown, ticks);
}

function editButton(message, on) {
  return el("button", {
    type: "button", class: "round edit", "aria-label": "Edit this message",
    onclick: () => on.edit(message),
  }, icon("pencil"));
}

function part(message, on) {
  if (message.photo) return photo(message, on);
  if (message.document) return file(message.document);
  if (message.voice) return voice(message.voice);
  if (message.sticker) return sticker(message.sticker);
  if (message.contact) return card("person", message.contact.first_name, message.contact.phone_number);
  if (message.location) return card("pin", "Location", "Greenwich");
  return null;
}

function photo(message, on) {
  const size = message.photo.at(-1);
  const caption = message.caption ?? "Photo";
  const image = el("img", {
    src: fileAddress(size.file_id), alt: `Picture: ${caption}`,
    width: size.width, height: size.height,
  });
  const view = () => on.view(image.src, image.alt);
  return el("button", { type: "button", class: "photo", "aria-label": `Enlarge: ${caption}`, onclick: view }, image);
}

function file(document_) {
  const size = `${Math.max(1, Math.round(document_.file_size / 1024))} KB`;
  return el("a", {
    class: "file", href: fileAddress(document_.file_id), download: document_.file_name,
  }, el("span", { class: "disc" }, icon("file")),
  el("span", {}, el("strong", {}, document_.file_name), el("small", {}, `${size} · download`)));
}

function voice(note) {
  const bars = el("span", { class: "wave", "aria-hidden": true });
  for (let index = 0; index < 22; index += 1) bars.append(el("i", { class: `h${(index * 7) % 5}` }));
  return el("div", { class: "file", role: "img", "aria-label": `Voice note, ${note.duration} seconds` },
    el("span", { class: "disc" }, icon("mic")), bars, el("small", {}, `0:0${note.duration}`));
}

function sticker(shape) {
  return el("img", {
    class: "sticker", src: fileAddress(shape.file_id), alt: `Sticker ${shape.emoji ?? ""}`,
    width: 160, height: 120,
  });
}

function card(symbol, title, detail) {
  return el("div", { class: "file" }, el("span", { class: "disc" }, icon(symbol)),
    el("span", {}, el("strong", {}, title), el("small", {}, detail)));
}

function inlineKeyboard(message, rows, on) {
  return el("div", { class: "inline-keyboard", role: "group", "aria-label": "Buttons" },
    ...rows.map((row, y) => el("div", { class: "row" },
      ...row.map((button, x) => inlineButton(message, button, y, x, on)))));
}

function inlineButton(message, button, row, column, on) {
  const kind = `button ${button.style ?? ""}`.trim();
  if (button.url && SAFE_LINK.test(button.url)) {
    const link = outside(button.url, kind);
    link.append(button.text, icon("out"));
    return link;
  }
  if (button.copy_text) {
    const copy = () => on.copy(button.copy_text.text);
    return el("button", { type: "button", class: kind, onclick: copy }, button.text, icon("copy"));
  }
  const node = el("button", { type: "button", class: kind }, button.text);
  node.addEventListener("click", () => on.tap(message, row, column, node));
  return node;
}
