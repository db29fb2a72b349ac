// The rows on the page: fetched anew for another page, order or filter without losing the map; selected by mouse.

import { announce } from "../lib/dom.js";
import { number, t } from "../lib/text.js";

const byId = (id) => document.getElementById(id);

/** Wires the side with the table; `redrawn` listeners are told when other rows are shown. */
export function makeRows({ side, selected, server }) {
  const redrawn = [];
  let anchor = null;

  const all = () => [...side.querySelectorAll("tbody tr[data-id]")];
  const idOf = (row) => Number(row.dataset.id);
  const entry = (row) => [idOf(row), row.dataset.version ? Number(row.dataset.version) : null];

  function mark() {
    for (const row of all()) {
      const on = selected.has(idOf(row));
      row.setAttribute("aria-selected", String(on));
      row.querySelector(".pick input").checked = on;
    }
    const bar = byId("selection-bar");
    bar.hidden = false;
    byId("selection-count").textContent = t("selected_n", { n: number(selected.size, 0) });
    for (const id of ["bulk-open", "select-none"]) if (byId(id)) byId(id).disabled = selected.size === 0;
    const link = byId("export-link");
    const [layer] = link.getAttribute("href").split("/").at(-1).split(".");
    const wanted = selected.size ? `?ids=${selected.ids.join(",")}` : "";
    link.href = `/export/${layer}.${byId("export-format").value}${wanted}`;
  }

  async function swap(url, { push = true } = {}) {
    side.setAttribute("aria-busy", "true");
    let text;
    try {
      const answer = await fetch(url, { headers: { Accept: "text/html" } });
      if (answer.redirected && new URL(answer.url).pathname !== location.pathname) throw new Error(t("session_lost"));
      text = await answer.text();
    } catch {
      location.assign(url);
      return;
    }
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("table-side");
    if (!fresh) {
      location.assign(url);
      return;
    }
    const focused = document.activeElement?.id;
    const wasOpen = side.querySelector("details.columns")?.open;
    side.replaceChildren(...document.adoptNode(fresh).childNodes);
    side.removeAttribute("aria-busy");
    if (wasOpen) side.querySelector("details.columns").open = true;
    if (push) history.pushState(null, "", url);
    if (focused) byId(focused)?.focus();
    anchor = null;
    mark();
    redrawn.forEach((listener) => listener());
    announce(side.querySelector(".pager .here").textContent);
  }

  function formAddress(form) {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    return `${location.pathname}?${query}`;
  }

  side.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-swap]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      swap(link.href);
      return;
    }
    if (event.target.closest("#select-none")) selected.clear("table");
    else if (event.target.closest("#select-all")) selectAll();
    else chooseRow(event);
  });
  side.addEventListener("submit", (event) => {
    event.preventDefault();
    swap(formAddress(event.target));
  });
  side.addEventListener("change", (event) => {
    if (event.target.id === "export-format") mark();
    else if (event.target.matches(".filters-row select")) swap(formAddress(byId("table-form")));
  });
  window.addEventListener("popstate", () => swap(location.href, { push: false }));

  async function selectAll() {
    try {
      const { rows, more } = await server.ids(location.search);
      selected.only(rows, "table");
      byId("table-message").textContent = more ? t("too_many_rows", { n: number(rows.length, 0) }) : "";
    } catch (error) {
      byId("table-message").textContent = error.message;
    }
  }

  function chooseRow(event) {
    const row = event.target.closest("tbody tr[data-id]");
    if (!row || event.target.closest("a, select, textarea, .editing")) return;
    const box = event.target.closest(".pick");
    if (event.target.tagName === "LABEL") return;
    if (event.shiftKey && anchor) {
      const list = all();
      const [a, b] = [list.findIndex((r) => idOf(r) === anchor), list.indexOf(row)].sort((x, y) => x - y);
      selected.add(list.slice(Math.max(0, a), b + 1).map(entry), "table");
    } else if (event.ctrlKey || event.metaKey || box) selected.toggle(...entry(row), "table");
    else selected.only([entry(row)], "table");
    anchor = idOf(row);
  }

  selected.listen((from) => {
    mark();
    if (from === "map") all().find((row) => selected.has(idOf(row)))?.scrollIntoView({ block: "nearest" });
  });

  return {
    all,
    idOf,
    entry,
    swap: () => swap(location.href, { push: false }),
    onRedraw: (listener) => redrawn.push(listener),
    start() {
      mark();
      redrawn.forEach((listener) => listener());
      side.dataset.ready = "1";
    },
  };
}
