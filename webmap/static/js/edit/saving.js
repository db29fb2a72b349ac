// Saving without leaving the page until it is certain: a lost line or a lost session loses nothing that was typed.

import { announce } from "../lib/dom.js";
import { t } from "../lib/text.js";

/** Sends a form; on success the draft goes and the record's page opens, else the form stays as it is. */
export function makeSaving({ form, message, drafting }) {
  const button = form.querySelector("button[type=submit]");

  function say(sentence) {
    message.hidden = false;
    message.querySelector("p").textContent = sentence;
    announce(sentence);
    message.scrollIntoView({ block: "nearest" });
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const kept = drafting.now();
    button.disabled = true;
    try {
      const options = { method: "POST", body: new FormData(form), headers: { Accept: "application/json" }, redirect: "manual" };
      const answer = await fetch(form.action, options);
      if (answer.ok) {
        const { location: address } = await answer.json();
        await kept;
        await drafting.drop();
        location.assign(address);
        return;
      }
      // Without its session the form's token is not taken either.
      if (answer.type === "opaqueredirect" || answer.status === 400 || answer.status === 401) say(t("session_lost"));
      else if (answer.status === 409 || answer.status === 422 || answer.status === 404) form.submit();
      else say(t("no_answer"));
    } catch {
      say(t("offline_draft_kept"));
    } finally {
      button.disabled = false;
    }
  });
}
