// The panel beside the chat: what the clinic's system knows, drawn from one JSON value.

import { ahead } from "./ahead.js";
import { el } from "./dom.js";

const OUTCOMES = {
  eligible: ["Can be treated", "good"],
  deferred: ["Not yet", "wait"],
  review: ["A clinician should look first", "wait"],
  declined: ["Not suitable", "bad"],
  urgent: ["Needs help now", "bad"],
};
const open = new Map(); // which sections the reader has opened or closed
let last = "";

export function tellTime(now, moved, zone) {
  const moment = new Date(now * 1000);
  const words = moment.toLocaleString("en-GB", {
    timeZone: zone, weekday: "short", day: "numeric", month: "short", year: "numeric",
    hour: "2-digit", minute: "2-digit",
  });
  const shown = document.getElementById("clock-time");
  if (shown.textContent !== words) shown.textContent = words;
  shown.setAttribute("datetime", moment.toISOString());
  const away = moved ? ` · moved by ${span(moved)}` : "";
  document.getElementById("clock-zone").textContent = `${zone.replaceAll("_", " ")}${away}`;
  document.getElementById("reset-clock").disabled = !moved;
}

function span(seconds) {
  const hours = Math.round(seconds / 3600);
  const days = Math.trunc(hours / 24);
  const rest = hours % 24;
  return [days ? `${days} d` : "", rest ? `${rest} h` : ""].filter(Boolean).join(" ") || "0 h";
}

export function showPeek(place, behind) {
  const said = JSON.stringify(behind);
  if (said === last) return;
  last = said;
  const parts = [
    where(behind.conversation),
    section("Verdict", verdict(behind.verdict, behind.score)),
    section("Booking", booking(behind.booking, behind.zone)),
    section("What lies ahead", ahead(behind.ahead, behind.zone)),
    section("Plan", plan(behind.plan)),
    section("Calendar", agenda(behind.agenda, behind.zone)),
    section("Leads", leads(behind.leads)),
    section("Answers", answers(behind.answers)),
  ];
  place.replaceChildren(...parts.filter(Boolean));
}

function section(title, content) {
  if (!content) return null;
  const node = el("details", { open: open.get(title) ?? true }, el("summary", {}, title), content);
  node.addEventListener("toggle", () => open.set(title, node.open));
  return node;
}

function where(conversation) {
  if (!conversation) {
    return el("p", { class: "nothing" }, "Nothing yet: the patient has not written to the bot.");
  }
  const facts = [
    ["run", conversation.run], ["revision", conversation.revision], ["clinic", conversation.clinic ?? "–"],
  ];
  if (conversation.campaign) facts.push(["campaign", conversation.campaign]);
  return el("section", { class: "where" },
    el("p", {}, el("small", {}, "step"), el("code", { class: "step" }, conversation.state)),
    el("dl", { class: "facts" }, ...facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value))))));
}

function verdict(value, score) {
  if (!value) return null;
  const [title, decidedMood] = OUTCOMES[value.outcome] ?? [value.outcome, ""];
  const early = !value.decided && value.outcome === "eligible";
  const mood = early ? "" : decidedMood;
  const reasons = value.reasons.map((reason) => el("li", {},
    el("code", {}, reason.rule), el("span", { class: `tag ${reason.severity}` }, reason.severity),
    el("p", {}, reason.text ?? ""),
    el("small", {}, [reason.sources.join(", "), reason.recheck_on ? `ask again ${day(reason.recheck_on)}` : ""].filter(Boolean).join(" · "))));
  const facts = [value.grade ? `grade ${value.grade}` : "", value.recheck_on ? `again on ${day(value.recheck_on)}` : ""].filter(Boolean).join(" · ");
  return el("div", {},
    el("p", { class: `verdict ${mood}` }, el("strong", {}, early ? "Nothing speaks against it" : title), value.decided ? null : el("small", {}, "so far, while the questions go on"), facts ? el("small", {}, facts) : null),
    reasons.length ? el("ul", { class: "reasons" }, ...reasons) : null,
    scoreParts(score));
}

function scoreParts(score) {
  if (!score) return null;
  if (!score.usable) return el("p", { class: "nothing" }, "No readiness score: a confidential answer forbids it.");
  return el("div", { class: "score" },
    el("p", {}, el("strong", {}, `Readiness ${score.total}`), el("small", {}, " of 100")),
    ...score.parts.map((part) => el("label", {}, el("span", {}, part.part),
      el("meter", { min: 0, max: part.out_of || 1, value: part.points }), el("small", {}, `${part.points}/${part.out_of}`))));
}

function plan(value) {
  if (!value) return null;
  const range = value.at_least === value.at_most ? "" : ` (${value.at_least}–${value.at_most})`;
  const facts = [
    ["sessions", `${value.sessions}${range}`],
    ["apart", `${value.spacing.preferred_days} days (${value.spacing.min_days}–${value.spacing.max_days})`],
    ["redness", `${value.downtime_days[0]}–${value.downtime_days[1]} days`],
    ["judged from", day(value.review_on)],
    ["refresher", day(value.refresher_on)],
  ];
  return el("div", {},
    el("dl", { class: "facts" }, ...facts.map(([name, words]) => el("div", {}, el("dt", {}, name), el("dd", {}, words)))),
    el("ol", { class: "dates" }, ...value.proposed_on.map((on) => el("li", {}, day(on)))));
}

function booking(value, zone) {
  if (!value) return null;
  const [mood, state] = value.hold_until
    ? ["held", `held until ${clock(value.hold_until, zone)}`]
    : value.pending ? ["pending", "waiting for the clinic"] : ["booked", "booked"];
  return el("div", {},
    el("p", { class: "booking-code" }, value.code ? el("code", {}, value.code) : null, el("span", { class: `tag ${mood}` }, state)),
    el("ol", { class: "dates" }, ...value.sessions.map((at) => el("li", {}, moment(at, zone)))));
}

function answers(rows) {
  if (!rows?.length) return null;
  return el("dl", { class: "answers" }, ...rows.map((row) => el("div", {},
    el("dt", {}, row.question), el("dd", {}, row.answer), el("code", {}, row.step))));
}

function agenda(rows, zone) {
  if (!rows) return null;
  if (!rows.length) return el("p", { class: "nothing" }, "No appointments in the coming weeks.");
  const days = new Map();
  for (const row of rows) {
    const on = new Date(row.starts_at).toLocaleDateString("en-GB", { timeZone: zone, weekday: "short", day: "numeric", month: "short" });
    if (!days.has(on)) days.set(on, []);
    days.get(on).push(row);
  }
  return el("div", { class: "agenda" }, ...[...days].map(([on, list]) => el("div", {}, el("h4", {}, on),
    el("ul", {}, ...list.map((row) => el("li", { class: `${row.state}${row.mine ? " mine" : ""}` },
      el("time", {}, `${clock(row.starts_at, zone)}–${clock(row.ends_at, zone)}`),
      el("span", {}, row.practitioner, el("small", {}, row.note ?? "")),
      el("span", { class: `tag ${row.state}` }, row.state)))))));
}

function leads(rows) {
  if (!rows?.length) return null;
  return el("ul", { class: "leads" }, ...rows.map((row) => el("li", {},
    el("span", { class: `tag ${row.kind}` }, row.kind),
    el("span", {}, row.code || (row.recheck_on ? `again ${day(row.recheck_on)}` : row.verdict ?? "")),
    el("small", {}, row.score === null ? "" : `readiness ${row.score}`))));
}

function day(iso) {
  return new Date(`${iso}T12:00:00Z`).toLocaleDateString("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" });
}

function clock(iso, zone) {
  return new Date(iso).toLocaleTimeString("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
}

function moment(iso, zone) {
  return new Date(iso).toLocaleString("en-GB", { timeZone: zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}
