// What is to happen to a neighbour in the same save: it is merged into this record and removed, or trimmed by it.

import { el } from "../lib/dom.js";
import { t } from "../lib/text.js";

/** Wires the panel that offers what can be done with a neighbour, and the list of what will be done on saving. */
export function makeTakeover({ panel, list, merge, cut, changed }) {
  let record = null;
  let plans = [];
  const buttons = Object.fromEntries([...panel.querySelectorAll("[data-takeover]")].map((b) => [b.dataset.takeover, b]));

  function plan(action) {
    const { id, name, version } = record;
    plans = [...plans.filter((other) => other.id !== id), { id, name, version, action }];
  }

  const actions = {
    merge() {
      plan("delete");
      merge(record);
    },
    trim: () => plan("trim"),
    yield: () => cut(record),
  };
  for (const [name, button] of Object.entries(buttons)) {
    button.addEventListener("click", () => {
      actions[name]?.();
      close();
      draw();
      changed();
    });
  }

  function close() {
    panel.hidden = true;
    record = null;
  }

  function draw() {
    list.hidden = !plans.length;
    list.replaceChildren(
      ...plans.map(({ id, name, action }) =>
        el(
          "li",
          {},
          t(action === "delete" ? "neighbour_will_go" : "neighbour_will_be_trimmed", { name }),
          " ",
          el("button", { type: "button", class: "button plain small", on: { click: () => drop(id) } }, t("leave_it")),
        ),
      ),
    );
  }

  function drop(id) {
    plans = plans.filter((other) => other.id !== id);
    draw();
    changed();
  }

  return {
    offer(found) {
      record = found;
      panel.hidden = false;
      panel.querySelector("[data-name]").textContent = found.name;
      const mine = found.version !== null;
      buttons.merge.disabled = buttons.trim.disabled = !mine;
      panel.querySelector("button").focus({ preventScroll: true });
    },
    close,
    restore(kept) {
      plans = kept;
      draw();
    },
    get plans() {
      return plans;
    },
  };
}
