// What lies ahead of the chosen patient, message by message, and why one will not come.

import { el } from "./dom.js";

const SHOWN = 6; // of what will go out; the rest unfolds
const open = new Map();

export function ahead(rows, zone) {
  if (!rows?.length) return null;
  const will = rows.filter((row) => row.standing === "waiting");
  const past = rows.filter((row) => row.standing !== "waiting");
  return el("div", { class: "ahead" },
    will.length ? list(will.slice(0, SHOWN), zone) : el("p", { class: "nothing" }, "Nothing more will go out."),
    more("later", will.slice(SHOWN), zone, (count) => `${count} more after that`),
    more("past", past, zone, (count) => `${count} sent, or not to be sent`));
}

function more(name, rows, zone, title) {
  if (!rows.length) return null;
  const node = el("details", { open: open.get(name) ?? false }, el("summary", {}, title(rows.length)), list(rows, zone));
  node.addEventListener("toggle", () => open.set(name, node.open));
  return node;
}

function list(rows, zone) {
  return el("ol", {}, ...rows.map((row) => el("li", { class: row.standing },
    el("time", { datetime: row.at }, moment(row.at, zone)),
    el("span", {}, capital(row.what), row.about ? el("small", {}, row.about) : null,
      row.why ? el("small", {}, row.why) : null))));
}

function capital(words) {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function moment(iso, zone) {
  return new Date(iso).toLocaleString("en-GB", { timeZone: zone, day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}
