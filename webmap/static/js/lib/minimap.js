// A small interactive map in a page: some layers, one record marked, its popup leading to the record's page.

import { makeBus } from "../map/bus.js";
import { makeSelection } from "../map/selection.js";
import { createMap, maplibre, mergeStyles } from "./basemap.js";
import { el, getJson } from "./dom.js";
import { t } from "./text.js";

const PADDING = 24;
const CLOSEST = 14;

async function fetchLayers(config, wanted) {
  const { layers } = await getJson(config.layers);
  const chosen = layers.filter(({ id }) => wanted.includes(id));
  const styles = await Promise.all(chosen.map(({ style }) => getJson(style)));
  return { layers: new Map(chosen.map((layer) => [layer.id, layer])), styles };
}

const viewOf = ({ bbox }, config) => ({
  bounds: bbox ?? config.bounds,
  fitBoundsOptions: { padding: PADDING, maxZoom: CLOSEST },
});

function makeMap(container, style, view, config) {
  try {
    return createMap({ container, style, view, attribution: config.attribution });
  } catch (error) {
    if (error instanceof maplibre.GPUInitializationError) error.sentence = t("no_webgl");
    throw error;
  }
}

/** Replaces the contents of `place` by a map; `wish` holds layers, bbox and selected [layer, id]. */
export async function showMap(place, config, wish) {
  const { layers, styles } = await fetchLayers(config, wish.layers);
  const before = [...place.childNodes];
  const container = el("div", { class: "live-map" });
  place.replaceChildren(container);
  let map;
  try {
    const style = mergeStyles({ styles, fonts: config.fonts, basemap: config.basemap });
    map = makeMap(container, style, viewOf(wish, config), config);
  } catch (error) {
    place.replaceChildren(...before);
    throw error;
  }
  const owners = new Map(styles.flatMap((style, i) => style.layers.map(({ id }) => [id, [...layers.keys()][i]])));
  map.once("style.load", () => {
    const selection = makeSelection({ map, layers, bus: makeBus() });
    if (wish.selected) selection.select(...wish.selected);
    map.on("click", ({ point, lngLat }) => {
      const found = map.queryRenderedFeatures(point).find(({ id, layer }) => id !== undefined && owners.has(layer.id));
      if (found) selection.select(owners.get(found.layer.id), found.id, { at: lngLat, open: true });
      else selection.clear();
    });
  });
  map.getCanvas().focus({ preventScroll: true });
}
