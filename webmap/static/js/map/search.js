// The search box: a combobox over the server's search, with the keyboard of the ARIA pattern.

import { announce, debounce, el, getJson } from "../lib/dom.js";
import { local, number, t } from "../lib/text.js";

const SHORTEST = 2;
const MOST = 12;

/** Wires input and listbox; `go(result)` is called for the chosen result. */
export function makeSearch({ input, listbox, address, layers, go }) {
  let results = [];
  let active = -1;
  let pending = null;

  const close = () => {
    listbox.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const ask = debounce(async () => {
    const query = input.value.trim();
    pending?.abort();
    if (query.length < SHORTEST) {
      close();
      return;
    }
    pending = new AbortController();
    try {
      const answer = await getJson(`${address}?${new URLSearchParams({ q: query, limit: MOST })}`, {
        signal: pending.signal,
      });
      results = answer.results;
    } catch (error) {
      if (error.name === "AbortError") return;
      results = [];
    }
    draw();
  }, 200);

  function draw() {
    listbox.replaceChildren(
      ...results.map((result, i) => {
        const kind = local(layers.get(result.layer)?.title);
        const node = el(
          "li",
          { role: "option", id: `result-${i}`, "aria-selected": "false" },
          el("strong", {}, result.title),
          el("span", {}, [kind, result.subtitle].filter(Boolean).join(" · ")),
        );
        node.addEventListener("mousedown", (event) => event.preventDefault());
        node.addEventListener("click", () => choose(i));
        return node;
      }),
    );
    if (!results.length) listbox.append(el("li", { class: "empty" }, t("nothing_found")));
    listbox.hidden = false;
    active = -1;
    input.setAttribute("aria-expanded", "true");
    announce(results.length ? t("n_results", { n: number(results.length, 0) }) : t("nothing_found"));
  }

  function move(step) {
    if (listbox.hidden || !results.length) return;
    listbox.children[active]?.setAttribute("aria-selected", "false");
    active = (active + step + results.length) % results.length;
    const node = listbox.children[active];
    node.setAttribute("aria-selected", "true");
    node.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", node.id);
  }

  function choose(index) {
    const result = results[index];
    if (!result) return;
    input.value = result.title;
    close();
    go(result);
  }

  input.addEventListener("input", ask);
  input.addEventListener("focus", () => results.length && input.value.trim().length >= SHORTEST && ask());
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(active < 0 ? 0 : -1);
    else if (event.key === "Enter") choose(active < 0 ? 0 : active);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
}
