// The chat page: several patients, one chat at a time, everything live from the event stream.

import { bubble } from "./bubbles.js";
import { offerClinic, showBehind, showClinic } from "./clinic.js";
import { arrange, el } from "./dom.js";
import { showPeek, tellTime } from "./peek.js";
import { offerTravel, showCame, travel } from "./travel.js";
import { act, follow, read } from "./wire.js";

const $ = (id) => document.getElementById(id);
const state = {
  patients: new Map(), // chat id -> summary, with `unread`
  chat: null, // the whole chat that is open
  zone: "UTC",
  clock: { now: 0, moved: 0, readAt: 0 },
  editing: null, // the message being edited
  canPeek: false,
};
let bubbles = new Map(); // message id -> { change, node }
let dividers = new Map(); // day -> node
let typingUntil = 0;
let shownKeyboard = "";
let wantedChat = 0;
let loading = Promise.resolve();
let pinned = true; // the newest message stays in sight until the reader scrolls up

const patient = (action, body) => act(`patients/${state.chat.chat_id}/${action}`, body);

const on = {
  say: (text) => send(() => patient("text", { text })),
  edit: beginEditing,
  view: (source, description) => {
    $("viewed").src = source;
    $("viewed").alt = description;
    $("viewer").showModal();
  },
  copy: async (text) => {
    await navigator.clipboard.writeText(text).then(
      () => toast(`Copied: ${text}`), () => toast(text));
  },
  tap: async (message, row, column, button) => {
    if (button.classList.contains("waiting")) return;
    button.classList.add("waiting");
    button.setAttribute("aria-busy", "true");
    setTimeout(() => rest(button), 10_000);
    await send(() => patient("tap", { message_id: message.message_id, row, column }));
  },
};

function rest(button) {
  button.classList.remove("waiting");
  button.removeAttribute("aria-busy");
}

async function send(call) {
  try {
    await call();
  } catch (fault) {
    toast(fault.message.replace(/^Bad Request: /, ""));
    document.querySelectorAll(".button.waiting").forEach(rest);
  }
}

// Loading ---------------------------------------------------------------------------------------

// One after the other, so that two of them never both add the first patient.
function loadAll() {
  loading = loading.then(loadState).catch((fault) => toast(fault.message));
  return loading;
}

async function loadState() {
  const all = await read("state");
  state.zone = all.zone;
  state.canPeek = all.can_peek;
  setClock(all);
  showBot(all.bot);
  $("app").classList.toggle("no-peek", !all.can_peek);
  offerClinic(all.has_console);
  offerTravel(all.can_travel);
  fillLinks(all.links);
  const unread = new Map([...state.patients].map(([id, known]) => [id, known.unread]));
  state.patients = new Map(all.patients.map((one) => [one.chat_id, { ...one, unread: unread.get(one.chat_id) ?? 0 }]));
  const wanted = Number(location.hash.slice(1));
  const open = [wanted, state.chat?.chat_id, all.patients[0]?.chat_id].find((id) => state.patients.has(id));
  await (open ? openChat(open) : newPatient());
}

function showBot(bot) {
  $("bot-name").textContent = bot.name;
  $("description").textContent = bot.description || bot.about
    || "Press Start to talk to the clinic's assistant.";
}

async function newPatient() {
  const made = await act("patients");
  state.patients.set(made.chat_id, { ...made, unread: 0 });
  await openChat(made.chat_id);
}

async function openChat(chatId) {
  wantedChat = chatId; // from now on nothing else may take its place
  if (state.chat?.chat_id !== chatId) {
    bubbles = new Map();
    dividers = new Map();
    stopEditing();
    $("log").setAttribute("aria-live", "off");
    $("log").replaceChildren();
  }
  history.replaceState(null, "", `#${chatId}`);
  await loadChat(chatId);
  $("log").setAttribute("aria-live", "polite");
  toEnd();
  peekSoon();
}

async function loadChat(chatId) {
  const chat = await read(`patients/${chatId}`);
  // Answers may overtake each other: only the newest one of the chat that is wanted counts.
  const stale = state.chat?.chat_id === chatId && chat.number < state.chat.number;
  if (stale || wantedChat !== chatId) return;
  state.chat = chat;
  state.patients.set(chatId, { ...chat, unread: 0 });
  showPatients();
  showChat();
}

// Showing ---------------------------------------------------------------------------------------

const HUES = 6;

function showPatients() {
  const lines = [...state.patients.values()].map((one) => {
    const open = one.chat_id === state.chat?.chat_id;
    const count = one.unread ? el("span", { class: "unread", "aria-label": `${one.unread} new` }, String(one.unread)) : null;
    return el("li", {}, el("button", {
      type: "button", class: open ? "open" : "", "aria-current": open ? "true" : false,
      "data-chat": one.chat_id, onclick: () => { closeDrawers(); openChat(one.chat_id); },
    },
    el("span", { class: `avatar hue${one.chat_id % HUES}`, "aria-hidden": "true" }, one.first_name.slice(0, 1)),
    el("span", { class: "line" }, el("strong", {}, one.first_name),
      one.last ? el("time", {}, timeOf(one.last.date).clock) : null),
    el("span", { class: "line" }, el("small", {}, glimpse(one)), count)));
  });
  const focused = document.activeElement?.dataset?.chat;
  $("chats").replaceChildren(...lines);
  if (focused) $("chats").querySelector(`[data-chat="${focused}"]`)?.focus();
}

function glimpse(one) {
  if (one.blocked) return "has blocked the bot";
  if (!one.last) return "has not written yet";
  const words = one.last.text ?? one.last.caption;
  const kinds = { photo: "Photo", document: "File", voice: "Voice note", sticker: "Sticker", contact: "Contact", location: "Location" };
  const kind = Object.keys(kinds).find((name) => name in one.last);
  const said = words ?? kinds[kind] ?? "";
  return one.last.from_bot ? said : `You: ${said}`;
}

function showChat() {
  const chat = state.chat;
  const held = heldFocus();
  arrange($("log"), nodes(chat.messages));
  if (held && !held.isConnected) refocus(Number(held.closest("[data-id]")?.dataset.id));
  markLatest(chat.messages);
  const begun = chat.started || chat.messages.length > 0;
  $("welcome").hidden = begun;
  $("start").hidden = begun || chat.blocked;
  $("unblock").hidden = !chat.blocked;
  $("composer").hidden = !begun || chat.blocked;
  $("block").hidden = !begun || chat.blocked;
  showKeyboard(chat.keyboard);
  showCommands(chat.commands);
  if (pinned || chat.messages.at(-1)?.from_bot === false) toEnd();
  $("to-end").hidden = pinned;
}

function nodes(messages) {
  const wanted = [];
  const kept = new Map();
  let day = "";
  for (const message of messages) {
    const time = timeOf(message.date);
    if (time.day !== day) {
      day = time.day;
      wanted.push(divider(day));
    }
    const known = bubbles.get(message.message_id);
    const fresh = known?.change !== message.change;
    const node = fresh ? bubble(message, time, on) : known.node;
    if (!known) node.classList.add("new");
    kept.set(message.message_id, { change: message.change, node });
    wanted.push(node);
  }
  bubbles = kept;
  return wanted;
}

// Without a mouse there is no hovering: the newest own message shows its edit button at once.
function markLatest(messages) {
  const latest = messages.filter((message) => !message.from_bot).at(-1)?.message_id;
  for (const [id, known] of bubbles) known.node.classList.toggle("latest", id === latest);
}

function divider(day) {
  if (!dividers.has(day)) dividers.set(day, el("p", { class: "day" }, el("span", {}, day)));
  return dividers.get(day);
}

function heldFocus() {
  return $("log").contains(document.activeElement) ? document.activeElement : null;
}

// A tapped button's message is built anew by the answer: keep keyboard users where they were.
function refocus(messageId) {
  const buttons = bubbles.get(messageId)?.node.querySelector(".button")
    ?? [...$("log").querySelectorAll(".inline-keyboard")].at(-1)?.querySelector(".button");
  (buttons ?? $("words")).focus();
}

function showKeyboard(keyboard) {
  const said = JSON.stringify(keyboard ?? null);
  $("words").placeholder = keyboard?.input_field_placeholder || "Message";
  if (said === shownKeyboard && !$("reply-keyboard").hidden === Boolean(keyboard)) return;
  shownKeyboard = said;
  const rows = keyboard?.keyboard ?? [];
  $("reply-keyboard").hidden = rows.length === 0;
  $("reply-keyboard").replaceChildren(...rows.map((row) => el("div", { class: "row" },
    ...row.map((button) => el("button", {
      type: "button", class: "button",
      onclick: () => (button.request_contact ? send(() => patient("contact")) : on.say(button.text)),
    }, button.text)))));
}

function showCommands(commands) {
  const rows = commands.map((one) => el("button", {
    type: "button",
    onclick: () => { $("commands").hidePopover(); on.say(`/${one.command}`); $("words").focus(); },
  }, el("strong", {}, `/${one.command}`), el("span", {}, one.description)));
  const none = el("p", {}, "The bot has no commands.");
  $("commands").replaceChildren(...(rows.length ? rows : [none]));
}

function fillLinks(links) {
  $("link-row").hidden = links.length === 0;
  if ($("link").options.length === links.length + 1) return;
  $("link").replaceChildren(
    el("option", { value: "" }, "found it by its name"),
    ...links.map((link) => el("option", { value: link.payload }, link.label)));
}

// Times -----------------------------------------------------------------------------------------

function timeOf(seconds) {
  const moment = new Date(seconds * 1000);
  const zone = { timeZone: state.zone };
  return {
    iso: moment.toISOString(),
    clock: moment.toLocaleTimeString("en-GB", { ...zone, hour: "2-digit", minute: "2-digit" }),
    day: moment.toLocaleDateString("en-GB", { ...zone, weekday: "long", day: "numeric", month: "long" }),
  };
}

function setClock(time) {
  state.clock = { now: time.now, moved: time.moved, readAt: Date.now() };
  tickClock();
}

function tickClock() {
  const now = state.clock.now + (Date.now() - state.clock.readAt) / 1000;
  tellTime(now, state.clock.moved, state.zone);
}

// Scrolling, toasts, focus ----------------------------------------------------------------------

function isAtEnd() {
  const box = $("scroller");
  return box.scrollHeight - box.scrollTop - box.clientHeight < 60;
}

function toEnd() {
  pinned = true;
  $("scroller").scrollTo({ top: $("scroller").scrollHeight });
}

function scrolled() {
  pinned = isAtEnd();
  $("to-end").hidden = pinned;
}

function toast(text) {
  const node = el("p", { class: "toast" }, text);
  $("toasts").append(node);
  setTimeout(() => node.remove(), 4000);
}

function closeDrawers() {
  $("patients").classList.remove("shown");
  $("peek").classList.remove("shown");
}

function beginEditing(message) {
  state.editing = message;
  $("editing").hidden = false;
  $("edited-text").textContent = message.text;
  $("words").value = message.text;
  $("words").focus();
  grow();
}

function stopEditing() {
  if (!state.editing) return;
  state.editing = null;
  $("editing").hidden = true;
  $("words").value = "";
  grow();
}

function grow() {
  const box = $("words");
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, 160)}px`;
}

function submit() {
  const text = $("words").value.trim();
  if (!text) return;
  const editing = state.editing;
  const body = { text, message_id: editing?.message_id };
  stopEditing();
  $("words").value = "";
  grow();
  send(() => patient(editing ? "edit" : "text", body));
}

// Live ------------------------------------------------------------------------------------------

let reloading = 0;
let peeking = 0;

function reloadSoon() {
  clearTimeout(reloading);
  reloading = setTimeout(() => wantedChat && loadChat(wantedChat), 15);
}

function peekSoon() {
  clearTimeout(peeking);
  if (!state.canPeek || !state.chat) return;
  peeking = setTimeout(async () => {
    const chatId = state.chat.chat_id;
    const behind = await read(`peek/${chatId}`).catch(() => ({}));
    if (behind.zone && behind.zone !== state.zone) {
      state.zone = behind.zone;
      bubbles = new Map();
      showChat();
    }
    showPeek($("peeked"), behind);
  }, 120);
}

function happened(kind, body) {
  const here = body.chat_id === wantedChat;
  if (kind === "clock") setClock(body);
  if (kind === "came") showCame(body.came, state.zone);
  if (kind === "bot") read("state").then((all) => showBot(all.bot)).then(reloadSoon);
  if (kind === "typing" && here) beTyping(body.action);
  if (kind === "toast" && here) answered(body);
  if (["message", "edited", "deleted", "patient"].includes(kind)) {
    if (here && state.chat) {
      if (body.message?.from_bot) beTyping("");
      reloadSoon();
    } else elsewhere(kind, body);
  }
  if (kind !== "typing" && kind !== "toast") peekSoon();
}

function elsewhere(kind, body) {
  const known = state.patients.get(body.chat_id) ?? { unread: 0, ...body };
  if (body.message) known.last = body.message;
  if (kind === "message" && body.message.from_bot) known.unread += 1;
  state.patients.set(body.chat_id, known);
  showPatients();
}

function answered(body) {
  const node = bubbles.get(body.message_id)?.node;
  node?.querySelectorAll(".waiting").forEach(rest);
  if (body.text && body.alert) {
    $("alert-text").textContent = body.text;
    $("alert").showModal();
  } else if (body.text) toast(body.text);
}

function beTyping(action) {
  const words = { upload_photo: "sending a photo…", upload_document: "sending a file…" };
  typingUntil = action ? Date.now() + 5000 : 0;
  showStatus(action ? words[action] ?? "typing…" : "bot");
}

function showStatus(words) {
  $("status").textContent = words;
  $("status").classList.toggle("busy", words !== "bot");
}

function connected(yes) {
  showStatus(yes ? "bot" : "waiting for the playground…");
  if (yes) loadAll();
}

// Hands -----------------------------------------------------------------------------------------

$("new-patient").addEventListener("click", () => { closeDrawers(); newPatient().then(() => $("start").focus()); });
$("start").addEventListener("click", () => {
  send(() => patient("start", { payload: $("link").value })).then(() => $("words").focus());
});
$("block").addEventListener("click", () => { $("more").hidePopover(); send(() => patient("block")); });
$("unblock").addEventListener("click", () => send(() => patient("unblock")));
$("stop-editing").addEventListener("click", () => { stopEditing(); $("words").focus(); });
$("to-end").addEventListener("click", toEnd);
$("scroller").addEventListener("scroll", scrolled, { passive: true });
const sizes = new ResizeObserver(() => { if (pinned) toEnd(); });
for (const id of ["log", "scroller"]) sizes.observe($(id));
$("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
$("words").addEventListener("input", () => {
  grow();
  if ($("words").value === "/") $("commands").showPopover();
});
$("words").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit();
  } else if (event.key === "ArrowUp" && !$("words").value) {
    const mine = state.chat.messages.filter((message) => !message.from_bot && message.text).at(-1);
    if (mine) { event.preventDefault(); beginEditing(mine); }
  } else if (event.key === "Escape") stopEditing();
});
for (const button of document.querySelectorAll("[data-media]")) {
  button.addEventListener("click", () => {
    $("attach").hidePopover();
    const caption = $("words").value.trim();
    $("words").value = "";
    send(() => patient("media", { kind: button.dataset.media, caption }));
  });
}
for (const button of document.querySelectorAll("[data-open]")) {
  button.addEventListener("click", () => {
    $(button.dataset.open).classList.add("shown");
    $(button.dataset.open).querySelector("[data-close]").focus();
  });
}
for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", closeDrawers);
document.addEventListener("keydown", (event) => event.key === "Escape" && closeDrawers());
$("viewer").addEventListener("click", (event) => event.target === $("viewer") && $("viewer").close());
for (const button of document.querySelectorAll("[data-hours], [data-reset]")) {
  const body = "reset" in button.dataset ? { reset: true } : { hours: Number(button.dataset.hours) };
  button.addEventListener("click", () => send(async () => setClock(await travel("clock", body))));
}
$("to-next").addEventListener("click", () => send(async () => setClock(await travel("next"))));
$("show-clinic").addEventListener("click", () => send(showClinic));
$("show-behind").addEventListener("click", showBehind);
setInterval(tickClock, 1000);
setInterval(() => { if (typingUntil && Date.now() > typingUntil) beTyping(""); }, 500);
follow(happened, connected);
