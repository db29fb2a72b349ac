// Keeping what the map shows: posts the address, and hands out a short one and the map as a file.

import { announce } from "../lib/dom.js";
import { t } from "../lib/text.js";

/** Wires the dialog; `fragment()` gives the part of the map's address after '#'. */
export function makeSaveView({ dialog, button, fragment }) {
  const form = dialog.querySelector("form");
  const message = dialog.querySelector("[role=alert]");
  const done = dialog.querySelector("[data-kept]");
  const send = form.querySelector("[data-send]");

  function say(sentence) {
    message.textContent = sentence;
  }

  function showKept({ address, file }) {
    const link = done.querySelector("[data-address]");
    link.href = address;
    link.textContent = link.href;
    done.querySelector("[data-file]").href = file;
    done.hidden = false;
    link.focus();
    announce(t("view_kept"));
  }

  button.addEventListener("click", () => {
    say("");
    done.hidden = true;
    dialog.showModal();
    form.elements.title.select();
  });
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => button.focus());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    say("");
    const body = new FormData(form);
    body.set("address", fragment());
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
      const told = await answer.json().catch(() => ({}));
      if (answer.ok) showKept(told);
      else say(told.detail ?? t("no_answer"));
    } catch {
      say(t("offline"));
    } finally {
      send.disabled = false;
    }
  });
}
