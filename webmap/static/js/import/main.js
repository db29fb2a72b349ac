// The desk's map: the file in each proposed reference system, or the rows of a dry run in step with their table.

import { createMap, maplibre, mergeStyles } from "../lib/basemap.js";
import { el, getJson } from "../lib/dom.js";
import { pageData, t } from "../lib/text.js";
import { showPlaces } from "./places.js";
import { showRows } from "./rows.js";

const BACKGROUND_LAYERS = ["provinces", "districts", "communes"];

async function start() {
  const place = document.getElementById("import-map");
  const config = pageData("map-config");
  const container = el("div", { class: "live-map" });
  const note = el("p", { class: "map-note", role: "status" });
  place.replaceChildren(container, note);
  try {
    const [data, ...styles] = await Promise.all([
      getJson(place.dataset.source),
      ...BACKGROUND_LAYERS.map((id) => getJson(`/styles/${id}.json`)),
    ]);
    const style = mergeStyles({ styles, fonts: config.fonts, basemap: config.basemap });
    const view = { bounds: config.bounds, fitBoundsOptions: { padding: 24 } };
    const map = createMap({ container, style, view, attribution: config.attribution });
    map.once("style.load", () => {
      const show = place.dataset.kind === "places" ? showPlaces : showRows;
      show({ map, data, note });
      container.dataset.importReady = "1";
    });
  } catch (failure) {
    container.remove();
    note.textContent = failure instanceof maplibre.GPUInitializationError ? t("no_webgl") : failure.message;
  }
}

start();
