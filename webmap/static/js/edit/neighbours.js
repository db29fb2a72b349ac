// The borders around: records of the same layer and communes in view, to snap to, to follow and to take ground from.

import { debounce, getJson } from "../lib/dom.js";
import { polygonsOf } from "../lib/geometry.js";
import { polygonHolds, snapped } from "../lib/rings.js";

const SOURCE = "neighbours";
const CLOSEST = 11;
const MOST = 500;
const WAIT = 250;
const SNAP_PIXELS = 12;

/** Loads the neighbours in view; `own` is the id of the record under work, itself no neighbour. */
export function makeNeighbours({ map, layer, own }) {
  let records = [];
  let asked = null;
  let enabled = true;
  let pixels = SNAP_PIXELS;

  map.addSource(SOURCE, { type: "geojson", data: collection([]) });
  map.addLayer({
    id: "neighbours-line",
    type: "line",
    source: SOURCE,
    paint: {
      "line-color": ["case", ["==", ["get", "layer"], layer], "#1d4ed8", "#5b7f78"],
      "line-width": ["case", ["==", ["get", "layer"], layer], 2, 1.5],
    },
  });
  map.addLayer({
    id: "neighbour-chosen",
    type: "fill",
    source: SOURCE,
    filter: ["==", ["get", "key"], ""],
    paint: { "fill-color": "#1d4ed8", "fill-opacity": 0.3 },
  });

  async function load() {
    asked?.abort();
    if (map.getZoom() < CLOSEST) {
      keep([]);
      return;
    }
    asked = new AbortController();
    const box = map.getBounds().toArray().flat().map((value) => value.toFixed(6)).join(",");
    try {
      const answers = await Promise.all(
        [layer, "communes"].map((id) => getJson(`/layers/${id}.geojson?bbox=${box}&limit=${MOST}`, { signal: asked.signal })),
      );
      keep(answers.flatMap((answer, i) => answer.features.map((record) => recordOf([layer, "communes"][i], record))));
    } catch (error) {
      if (error.name !== "AbortError") keep([]);
    }
  }

  function keep(found) {
    records = found.filter((record) => record.polygons.length && !(record.layer === layer && record.id === own));
    map.getSource(SOURCE).setData(collection(records));
    map.getContainer().dataset.neighbours = String(records.length);
  }

  const metresPerPixel = () => (40_075_016.7 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / (512 * 2 ** map.getZoom());
  const rings = () => records.flatMap(({ polygons }) => polygons.flat());
  const tolerance = () => pixels * metresPerPixel();

  map.on("moveend", debounce(load, WAIT));
  load();

  return {
    rings,
    tolerance,
    /** Where a position snaps to; itself when there is nothing near or snapping is off. */
    snap: (at, more = []) => (enabled ? (snapped(at, [...rings(), ...more], tolerance()) ?? at) : at),
    at: ([lon, lat]) => records.find((r) => r.layer === layer && r.polygons.some((p) => polygonHolds(p, [lon, lat]))) ?? null,
    mark(record) {
      map.setFilter("neighbour-chosen", ["==", ["get", "key"], record ? record.key : ""]);
    },
    set enabled(on) {
      enabled = on;
    },
    set pixels(value) {
      pixels = value;
    },
  };
}

const recordOf = (layer, { id, geometry, properties }) => ({
  layer,
  id,
  key: `${layer}/${id}`,
  name: properties.name ?? String(id),
  version: properties.version ?? null,
  polygons: polygonsOf(geometry),
});

const collection = (records) => ({
  type: "FeatureCollection",
  features: records.map(({ layer, key, polygons }) => ({
    type: "Feature",
    geometry: { type: "MultiPolygon", coordinates: polygons },
    properties: { layer, key },
  })),
});
