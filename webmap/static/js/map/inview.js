// The records of one layer inside the map's frame, a page at a time from the server.

import { announce, debounce, getJson } from "../lib/dom.js";
import { number, t } from "../lib/text.js";

const PAGE = 50;

/** Makes the list of what is in view; `frame()` gives the box to look in or null for everything. */
export function makeInView({ layers, frame, bus }) {
  const state = { layer: null, sort: null, rows: [], matched: 0, first: 0, next: null, loading: false, error: null };
  const watchers = new Set();
  let addresses = [];
  let pending = null;

  const firstAddress = () => {
    const layer = layers.get(state.layer);
    const query = new URLSearchParams({ limit: PAGE, skipGeometry: "true" });
    const box = frame();
    if (box) query.set("bbox", box.map((value) => value.toFixed(5)).join(","));
    if (state.sort) query.set("sortby", state.sort);
    return `${layer.geojson}?${query}`;
  };

  async function load(address) {
    pending?.abort();
    pending = new AbortController();
    Object.assign(state, { loading: true, error: null });
    bus.tell("inview", state);
    try {
      const page = await getJson(address, { signal: pending.signal });
      state.rows = page.features;
      state.matched = page.numberMatched ?? page.features.length;
      state.first = (addresses.length - 1) * PAGE;
      state.next = ownAddress(page.links?.find((link) => link.rel === "next")?.href);
    } catch (error) {
      if (error.name === "AbortError") return;
      Object.assign(state, { rows: [], matched: 0, next: null, error: error.message });
    }
    state.loading = false;
    bus.tell("inview", state);
    announce(state.error ?? t("records_in_view", { n: number(state.matched, 0) }));
  }

  function refresh() {
    if (!state.layer || !watchers.size) return;
    const address = firstAddress();
    if (address === addresses[0] && !state.error) return;
    addresses = [address];
    load(address);
  }

  return {
    refresh,
    refreshSoon: debounce(refresh, 250),
    setLayer(id) {
      if (id === state.layer || !layers.has(id)) return;
      Object.assign(state, { layer: id, sort: null });
      bus.tell("layer-in-view", { layer: id });
      refresh();
    },
    sortBy(field) {
      state.sort = state.sort === field ? `-${field}` : field;
      refresh();
    },
    next() {
      if (!state.next) return;
      addresses.push(state.next);
      load(state.next);
    },
    previous() {
      if (addresses.length < 2) return;
      addresses.pop();
      load(addresses.at(-1));
    },
    /** Nothing is fetched while neither the list nor the table is open. */
    watch(name, watching) {
      const idle = watchers.size === 0;
      if (watching) watchers.add(name);
      else watchers.delete(name);
      if (watching && idle) refresh();
    },
    get state() {
      return state;
    },
  };
}

// The server writes whole addresses; behind a proxy their host may be one that this page may not ask.
function ownAddress(href) {
  if (!href) return null;
  const { pathname, search } = new URL(href, location.href);
  return pathname + search;
}

/** The sentence above a list: which of how many records are shown. */
export function countSentence({ loading, error, rows, matched, first }) {
  if (loading) return t("loading");
  if (error) return error;
  if (!matched) return t("nothing_in_view");
  return t("rows_shown", { from: number(first + 1, 0), to: number(first + rows.length, 0), n: number(matched, 0) });
}
