// What the table asks of the server, and how a refusal reads.

import { t } from "../lib/text.js";

async function asked(url, options) {
  let answer;
  try {
    answer = await fetch(url, { redirect: "manual", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(t("offline"), { cause: error });
  }
  if (answer.type === "opaqueredirect" || answer.status === 400) throw new Error(t("session_lost"));
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(body.detail ?? t("no_answer")), { status: answer.status, ...body });
  return body;
}

/** Makes the server's side of a table. */
export function makeServer({ path, token }) {
  const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token };
  const post = (url, body, signal) => asked(url, { method: "POST", headers, body: JSON.stringify(body), signal });
  return {
    change: (id, body) => post(`${path}/${id}`, body),
    bulk: (body) => post(`${path}/bulk`, body),
    shapes: (ids, signal) => post(`${path}/shapes`, { ids }, signal),
    ids: (search, box) => {
      const query = new URLSearchParams([...new URLSearchParams(search)].filter(([name]) => name === "cql" || name.startsWith("f.")));
      if (box) query.set("bbox", box.join(","));
      return asked(`${path}/ids.json?${query}`, { headers: { Accept: "application/json" } });
    },
  };
}
