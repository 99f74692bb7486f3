// Talks to the playground: JSON calls, and the stream of what happens.

export async function read(path) {
  const answer = await fetch(`/playground/${path}`);
  return checked(answer);
}

export async function act(path, body = {}) {
  const answer = await fetch(`/playground/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return checked(answer);
}

export function fileAddress(fileId) {
  return `/playground/files/${encodeURIComponent(fileId)}`;
}

const KINDS = [
  "message", "edited", "deleted", "touched", "typing", "toast", "patient", "bot", "clock", "came",
];

// Calls `happened(kind, body)` for each event and `connected(yes)` as the line comes and goes.
export function follow(happened, connected) {
  const source = new EventSource("/playground/events");
  for (const kind of KINDS) {
    source.addEventListener(kind, (event) => happened(kind, JSON.parse(event.data)));
  }
  source.addEventListener("open", () => connected(true));
  source.addEventListener("error", () => connected(false));
}

async function checked(answer) {
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Error(body.description || "The playground did not answer.");
  }
  return body;
}
