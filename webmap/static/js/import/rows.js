// The rows of a dry run, coloured by what becomes of them; a row of the table and its shape choose one another.

import { maplibre } from "../lib/basemap.js";
import { el } from "../lib/dom.js";
import { t } from "../lib/text.js";

const COLORS = { add: "#15803d", update: "#1d4ed8", same: "#64748b", duplicate: "#b45309", outside: "#7e22ce", refused: "#b91c1c" };
const LAYERS = ["rows-fill", "rows-line", "rows-point"];
const color = ["match", ["get", "state"], ...Object.entries(COLORS).flat(), "#64748b"];
const chosen = ["boolean", ["feature-state", "chosen"], false];

function addLayers(map, data) {
  map.addSource("rows", { type: "geojson", data });
  map.addLayer({ id: "rows-fill", type: "fill", source: "rows", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": color, "fill-opacity": ["case", chosen, 0.7, 0.35] } });
  map.addLayer({ id: "rows-line", type: "line", source: "rows", filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": color, "line-width": ["case", chosen, 4, 1.2] } });
  map.addLayer({ id: "rows-point", type: "circle", source: "rows", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-color": color, "circle-radius": ["case", chosen, 10, 5], "circle-stroke-color": "#ffffff", "circle-stroke-width": 1 } });
}

function legend(data) {
  const present = Object.keys(COLORS).filter((state) => data.features.some((f) => f.properties.state === state));
  return el("p", { class: "map-note" }, present.map((state) => t(`state_${state}`)).join(" · "));
}

/** Draws the rows and keeps table and map in step. */
export function showRows({ map, data, note }) {
  addLayers(map, data);
  note.after(legend(data));
  const bounds = new maplibre.LngLatBounds();
  const rows = new Map([...document.querySelectorAll("[data-row]")].map((row) => [Number(row.dataset.row), row]));
  for (const row of rows.values()) {
    if (!row.dataset.box) continue;
    const [west, south, east, north] = JSON.parse(row.dataset.box);
    if (west >= 100 && east <= 120 && south >= 5 && north <= 25) bounds.extend([west, south]).extend([east, north]);
  }
  if (!bounds.isEmpty()) map.fitBounds(bounds, { padding: 30, maxZoom: 14, animate: false });
  let now = null;
  const choose = (number) => {
    if (now !== null) {
      map.setFeatureState({ source: "rows", id: now }, { chosen: false });
      rows.get(now)?.classList.remove("chosen");
    }
    now = number;
    map.setFeatureState({ source: "rows", id: now }, { chosen: true });
    const row = rows.get(now);
    row?.classList.add("chosen");
    const feature = data.features.find(({ id }) => id === now);
    note.textContent = t("row", { number, name: feature?.properties.name ?? "" });
    return row;
  };
  for (const [number, row] of rows) {
    row.querySelector(".row-link")?.addEventListener("click", () => {
      choose(number);
      map.fitBounds(JSON.parse(row.dataset.box), { padding: 60, maxZoom: 16 });
    });
  }
  map.on("click", ({ point }) => {
    const [found] = map.queryRenderedFeatures(point, { layers: LAYERS });
    if (found) choose(found.id)?.scrollIntoView({ block: "nearest" });
  });
}
