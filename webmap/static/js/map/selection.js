// The one selected record: drawn from its full geometry, told to everyone, described in a popup.

import { announce, el } from "../lib/dom.js";
import { maplibre } from "../lib/basemap.js";
import { t } from "../lib/text.js";
import { anchorOf, boxOf, factsOf, fetchRecord, pageOf, titleOf } from "./records.js";

const SOURCE = "selection";
const NOTHING = { type: "FeatureCollection", features: [] };
const POINT_OFFSET = 15;
const COLOR = "#d97706";

/** Makes the selection of a map; `layers` maps ids to declarations; `from()` gives the element to return to. */
export function makeSelection({ map, layers, bus }) {
  let current = null;
  let popup = null;
  let pending = null;
  let returnFocus = null;

  addHighlight(map);

  function clear({ quiet = false } = {}) {
    pending?.abort();
    closePopup();
    current = null;
    map.getSource(SOURCE).setData(NOTHING);
    if (!quiet) bus.tell("selection", { selected: null });
  }

  function closePopup() {
    const open = popup;
    popup = null;
    open?.remove();
  }

  async function select(layerId, id, { at = null, zoom = false, open = false, from = null } = {}) {
    const layer = layers.get(layerId);
    if (!layer) return;
    pending?.abort();
    pending = new AbortController();
    let feature;
    try {
      feature = await fetchRecord(layer, id, { signal: pending.signal });
    } catch (error) {
      if (error.name !== "AbortError") announce(error.status === 404 ? t("zoom_in_for_records") : error.message);
      return;
    }
    closePopup();
    current = { layer: layerId, id: Number(id) };
    map.getSource(SOURCE).setData(feature.geometry ? feature : NOTHING);
    bus.tell("selection", { selected: current, feature });
    announce(t("selected", { name: titleOf(layer, feature.properties, id) }));
    if (zoom) zoomTo(map, feature);
    if (open) openPopup(layer, feature, at ?? anchorOf(feature), from);
  }

  function openPopup(layer, feature, at, from) {
    if (!at) return;
    returnFocus = from;
    const offset = feature.geometry?.type === "Point" ? POINT_OFFSET : 0;
    popup = new maplibre.Popup({ maxWidth: "20rem", offset, focusAfterOpen: Boolean(from), closeOnClick: false })
      .setLngLat(at)
      .setDOMContent(describe(layer, feature, current.id))
      .addTo(map);
    keepInSight(map, at, popup.getElement());
    popup.getElement().setAttribute("role", "dialog");
    popup.getElement().setAttribute("aria-label", titleOf(layer, feature.properties, current.id));
    popup.on("close", () => {
      if (!popup) return;
      popup = null;
      const origin = returnFocus?.();
      const target = origin?.checkVisibility({ visibilityProperty: true }) ? origin : map.getCanvas();
      target.focus({ preventScroll: true });
    });
  }

  map.getContainer().addEventListener("keydown", (event) => {
    if (event.key === "Escape" && popup) {
      event.stopPropagation();
      popup.remove();
    }
  });

  return {
    select,
    clear,
    get current() {
      return current;
    },
  };
}

/** Moves the map to a feature without coming closer than a village. */
export function zoomTo(map, feature) {
  const box = boxOf(feature);
  if (box) map.fitBounds(box, { padding: 60, maxZoom: 16 });
}

// On a phone the popup lies along the lower edge (map.css); what it speaks of must stand above it.
function keepInSight(map, at, box) {
  const { clientHeight } = map.getContainer();
  const free = clientHeight - box.offsetHeight;
  const docked = getComputedStyle(box).transform === "none";
  const { y } = map.project(at);
  if (docked && y > free - POINT_OFFSET) map.panBy([0, y - free / 2]);
}

function describe(layer, feature, id) {
  const facts = factsOf(layer, feature.properties).map(([title, text]) =>
    el("div", {}, el("dt", {}, title), el("dd", {}, text)),
  );
  const page = pageOf(layer, id);
  return el(
    "div",
    { class: "popup" },
    el("h2", {}, titleOf(layer, feature.properties, id)),
    facts.length ? el("dl", {}, ...facts) : null,
    page ? el("a", { class: "button small", href: page }, t("open_record")) : null,
  );
}

function addHighlight(map) {
  map.addSource(SOURCE, { type: "geojson", data: NOTHING });
  const isPoint = ["==", ["geometry-type"], "Point"];
  map.addLayer({
    id: "selection-fill",
    type: "fill",
    source: SOURCE,
    filter: ["!", isPoint],
    paint: { "fill-color": COLOR, "fill-opacity": 0.22 },
  });
  for (const [id, color, width] of [["selection-casing", "#ffffff", 5.5], ["selection-line", "#9a4a00", 3]]) {
    map.addLayer({
      id,
      type: "line",
      source: SOURCE,
      filter: ["!", isPoint],
      layout: { "line-join": "round" },
      paint: { "line-color": color, "line-width": width },
    });
  }
  map.addLayer({
    id: "selection-point",
    type: "circle",
    source: SOURCE,
    filter: isPoint,
    paint: {
      "circle-radius": 11,
      "circle-color": COLOR,
      "circle-opacity": 0.35,
      "circle-stroke-color": "#9a4a00",
      "circle-stroke-width": 3,
    },
  });
}
