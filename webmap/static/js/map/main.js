// The planner's map: reads the catalogue, draws it, and ties its parts together.

import { createMap, maplibre, mergeStyles } from "../lib/basemap.js";
import { el, getJson } from "../lib/dom.js";
import { lang, local, pageData, t } from "../lib/text.js";
import { makeBus } from "./bus.js";
import { fillIndicators, makeChoropleth } from "./choropleth.js";
import { HomeControl } from "./controls.js";
import { makeCoordinates } from "./coordinates.js";
import { makeExporting } from "./exporting.js";
import { showFallback } from "./fallback.js";
import { makeInView } from "./inview.js";
import { makeLayerTree } from "./layertree.js";
import { makeList } from "./list.js";
import { makeDock, makeDrawer, makeTabs } from "./panel.js";
import { fetchRecord, pageOf } from "./records.js";
import { makeSaveView } from "./saveview.js";
import { makeSearch } from "./search.js";
import { makeSelection, zoomTo } from "./selection.js";
import { makeTable } from "./table.js";
import { formatView, parseView } from "./view.js";

const byId = (id) => document.getElementById(id);
const config = pageData("map-config");
const container = byId("map");
const HOME_PADDING = { padding: 24 };
const ADMIN_LAYERS = new Set(["provinces", "districts", "communes"]);

async function fetchCatalogue() {
  const [{ layers }, parameters] = await Promise.all([
    getJson(config.layers),
    getJson(config.crs).catch(() => null),
  ]);
  const styles = await Promise.all(layers.map((layer) => getJson(layer.style)));
  return {
    layers: new Map(layers.map((layer) => [layer.id, layer])),
    styles: new Map(layers.map((layer, i) => [layer.id, styles[i]])),
    parameters,
  };
}

/** The style of all layers, with those hidden that the view does not show. */
function wholeStyle(styles, shown) {
  const withVisibility = [...styles].map(([id, style]) => ({
    ...style,
    layers: style.layers.map((layer) => ({
      ...layer,
      layout: { ...layer.layout, visibility: shown.has(id) ? "visible" : "none" },
    })),
  }));
  return mergeStyles({ styles: withVisibility, fonts: config.fonts, basemap: config.basemap });
}

const ownersOf = (styles) =>
  new Map([...styles].flatMap(([id, style]) => style.layers.map((layer) => [layer.id, id])));

/** Where a level's polygons are drawn from, by looking into the layer's own style. */
function sourcesOf(styles) {
  const found = {};
  for (const level of ["communes", "districts"]) {
    const layer = styles.get(level)?.layers.find((candidate) => candidate.source);
    if (layer) found[level] = { source: layer.source, sourceLayer: layer["source-layer"] };
  }
  return found;
}

/** The choropleth lies on the communes, below everything that stands on them. */
function choroplethPlace(map, owners) {
  const above = map.getStyle().layers.find(({ id, type }) => {
    const ground = type === "background" || type === "raster" || !owners.has(id);
    return !ground && !(type === "fill" && ADMIN_LAYERS.has(owners.get(id)));
  });
  return above?.id;
}

/** What is shown where the address does not say: the layers meant for it, under a theme only the territory. */
function shownOf(view, layers) {
  if (view.layers) return view.layers;
  const meant = [...layers.values()].filter(({ id, visible }) => visible && (!view.choropleth || ADMIN_LAYERS.has(id)));
  return new Map(meant.map(({ id }) => [id, 100]));
}

function initialView(view, bounds) {
  if (view.map) return { center: [view.map.lon, view.map.lat], zoom: view.map.zoom };
  return { bounds, fitBoundsOptions: HOME_PADDING };
}

function twins({ layers, bus, frame, pick }) {
  const inView = makeInView({ layers, frame, bus });
  const chooser = byId("twin-layer");
  const second = byId("list-layer");
  for (const select of [chooser, second]) {
    for (const layer of layers.values()) select.append(el("option", { value: layer.id }, local(layer.title)));
    select.addEventListener("change", () => inView.setLayer(select.value));
  }
  bus.on("layer-in-view", ({ layer }) => {
    chooser.value = layer;
    second.value = layer;
  });
  const parts = (name) => ({
    count: byId(`${name}-count`),
    previous: byId(`${name}-previous`),
    next: byId(`${name}-next`),
  });
  makeList({ elements: { listbox: byId("list"), ...parts("list") }, layers, inView, bus, pick });
  makeTable({ elements: { table: byId("table"), ...parts("table") }, layers, inView, bus, pick });
  makeExporting({ link: byId("twin-export"), format: byId("twin-format"), inView, frame, bus });
  const dock = makeDock({
    dock: byId("twin"),
    button: byId("twin-button"),
    closeButton: byId("twin-close"),
    changed: (open) => {
      bus.tell("resized");
      inView.watch("table", open);
    },
  });
  return { inView, dock };
}

function writeAddress({ map, shown, choropleth, selection }) {
  const { lng: lon, lat } = map.getCenter();
  const view = { map: { zoom: map.getZoom(), lat, lon }, layers: shown, ...choropleth.view, lang };
  history.replaceState(history.state, "", formatView({ ...view, selected: selection.current }));
}

function keepHashOnLanguageLink() {
  for (const link of document.querySelectorAll("a[data-language]")) {
    link.addEventListener("click", () => {
      link.hash = location.hash.replace(/lang=\w+/, `lang=${link.dataset.language}`);
    });
  }
}

/** An address that was made in the other language opens in that language, once. */
function wrongLanguage(view) {
  if (!view.lang || view.lang === lang) return false;
  const link = document.querySelector(`a[data-language="${view.lang}"]`);
  const tried = sessionStorage.getItem("language-tried") === location.href;
  if (!link || tried) return false;
  sessionStorage.setItem("language-tried", location.href);
  link.hash = location.hash;
  location.replace(link.href);
  return true;
}

function wireMapPicking({ map, owners, choropleth, inView, selection }) {
  const hit = (point) => {
    const reach = [[point.x - 3, point.y - 3], [point.x + 3, point.y + 3]];
    return map.queryRenderedFeatures(reach).find((feature) => {
      return feature.id !== undefined && (owners.has(feature.layer.id) || feature.layer.id.startsWith("choropleth"));
    });
  };
  const choose = (point, at, from) => {
    const feature = hit(point);
    if (!feature) {
      selection.clear();
      return;
    }
    const layer = owners.get(feature.layer.id) ?? choropleth.view.level;
    inView.setLayer(layer);
    selection.select(layer, feature.id, { at, open: true, from });
  };
  map.on("click", (event) => choose(event.point, event.lngLat));
  map.getCanvas().addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const center = map.getCenter();
    choose(map.project(center), center, () => map.getCanvas());
  });
  let waiting = false;
  map.on("mousemove", (event) => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      map.getCanvas().style.cursor = hit(event.point) ? "pointer" : "";
    });
  });
}

async function goTo(result, { layers, map, shown, tree, inView, selection }) {
  const layer = layers.get(result.layer);
  if (!layer) {
    location.assign(result.url);
    return;
  }
  if (!shown.has(layer.id)) tree.showAll(new Map([...shown, [layer.id, 100]]));
  inView.setLayer(layer.id);
  if (result.bbox) zoomTo(map, { bbox: result.bbox });
  await selection.select(layer.id, result.id, { open: true, zoom: !result.bbox });
}

function run({ map, layers, styles, parameters, view, shown, bus, drawer, tabs }) {
  const owners = ownersOf(styles);
  const selection = makeSelection({ map, layers, bus });
  const pick = (id, options) => {
    if (options.zoom) drawer.close();
    selection.select(inView.state.layer, id, options);
  };
  const frame = () => map.getBounds().toArray().flat();
  const { inView, dock } = twins({ layers, bus, frame, pick });
  const tree = makeLayerTree({ container: byId("layers"), map, layers, styles, shown, bus });
  const choropleth = makeChoropleth({
    map,
    elements: {
      indicatorSelect: byId("indicator"),
      levelSelect: byId("level"),
      editionSelect: byId("edition"),
      methodSelect: byId("method"),
      legendBox: byId("choropleth-legend"),
    },
    config,
    sources: sourcesOf(styles),
    before: choroplethPlace(map, owners),
    bus,
  });
  makeCoordinates({
    map,
    elements: {
      system: byId("system"),
      output: byId("position"),
      form: byId("goto"),
      input: byId("goto-input"),
      error: byId("goto-error"),
    },
    parameters,
    maplibre,
  });
  const parts = { map, layers, shown, choropleth, selection, tree, inView, owners };
  makeSearch({
    input: byId("search"),
    listbox: byId("search-results"),
    address: config.search,
    layers,
    go: (result) => {
      drawer.close();
      goTo(result, parts);
    },
  });
  wireMapPicking(parts);
  const fragment = () => {
    writeAddress(parts);
    return location.hash;
  };
  makeSaveView({ dialog: byId("keep-view"), button: byId("keep-button"), fragment });

  clearTheGroundForThemes(parts, bus);
  bus.on("browse", ({ layer }) => {
    inView.setLayer(layer);
    if (window.matchMedia("(min-width: 50rem)").matches) dock.open();
    else tabs.open("list");
  });
  bus.on("tab", ({ name }) => inView.watch("list", name === "list"));
  bus.on("resized", () => map.resize());
  for (const event of ["layers", "choropleth", "selection"]) bus.on(event, () => writeAddress(parts));
  map.on("moveend", () => {
    writeAddress(parts);
    inView.refreshSoon();
  });
  applyView(view, parts).then(() => {
    window.addEventListener("hashchange", () => {
      const next = parseView(location.hash);
      if (next.map) map.jumpTo(initialView(next));
      tree.showAll(shownOf(next, layers));
      applyView(next, parts);
    });
  });
}

/** Records would hide a thematic map: choosing a theme shows territory alone, dropping it brings them back. */
function clearTheGroundForThemes({ shown, tree }, bus) {
  let before = null;
  bus.on("theme", ({ active }) => {
    if (active) {
      before = new Map(shown);
      tree.showAll(new Map([...shown].filter(([id]) => ADMIN_LAYERS.has(id))));
    } else if (before) {
      tree.showAll(new Map([...before, ...shown]));
      before = null;
    }
  });
}

async function applyView(view, { layers, shown, choropleth, selection, inView }) {
  inView.setLayer(view.selected?.layer ?? firstOf(layers, shown));
  await fillIndicatorsOnce();
  await choropleth.show(view.choropleth ?? "", view.level, view);
  if (view.selected) await selection.select(view.selected.layer, view.selected.id, { open: true, zoom: !view.map });
  else selection.clear({ quiet: true });
}

const editionElements = () => ({
  indicatorSelect: byId("indicator"),
  editionSelect: byId("edition"),
  methodSelect: byId("method"),
  editionChoice: byId("edition-choice"),
});

let indicatorsFilled = null;
function fillIndicatorsOnce() {
  indicatorsFilled ??= fillIndicators(editionElements(), config).catch(() => {
    byId("indicator").disabled = true;
  });
  return indicatorsFilled;
}

/** The layer that the list shows first: the topmost visible one that is no administrative unit. */
function firstOf(layers, shown) {
  const visible = [...layers.keys()].filter((id) => shown.has(id));
  return visible.find((id) => !ADMIN_LAYERS.has(id)) ?? visible.at(-1) ?? [...layers.keys()][0];
}

/** Without WebGL the lists still work, over the whole province. */
function runWithoutMap({ layers, bus, tabs }) {
  const open = (id) => {
    const page = pageOf(layers.get(inView.state.layer), id);
    if (page) location.assign(page);
    else fetchRecord(layers.get(inView.state.layer), id).then((feature) => bus.tell("selection", { selected: feature }));
  };
  const { inView } = twins({ layers, bus, frame: () => null, pick: open });
  bus.on("tab", ({ name }) => inView.watch("list", name === "list"));
  makeSearch({
    input: byId("search"),
    listbox: byId("search-results"),
    address: config.search,
    layers,
    go: (result) => location.assign(result.url),
  });
  for (const name of ["layers", "theme"]) byId(`tab-${name}`).hidden = true;
  document.querySelector(".map-status").hidden = true;
  inView.setLayer(firstOf(layers, shownOf({}, layers)));
  tabs.open("list");
}

async function start() {
  const view = parseView(location.hash);
  if (wrongLanguage(view)) return;
  keepHashOnLanguageLink();
  const bus = makeBus();
  const tabs = makeTabs(byId("tabs"), (name) => bus.tell("tab", { name }));
  const drawer = makeDrawer({
    panel: byId("panel"),
    openButton: byId("panel-open"),
    closeButton: byId("panel-close"),
  });

  let catalogue;
  try {
    catalogue = await fetchCatalogue();
  } catch (error) {
    await showFallback(container, error.message, config.fallback);
    return;
  }
  const shown = shownOf(view, catalogue.layers);
  let map;
  try {
    map = createMap({
      container,
      style: wholeStyle(catalogue.styles, shown),
      view: initialView(view, config.bounds),
      attribution: config.attribution,
    });
  } catch (error) {
    if (!(error instanceof maplibre.GPUInitializationError)) throw error;
    await showFallback(container, t("no_webgl"), config.fallback);
    runWithoutMap({ ...catalogue, bus, tabs });
    return;
  }
  map.addControl(new HomeControl(config.bounds), "top-right");
  map.addControl(new maplibre.GeolocateControl({ positionOptions: { enableHighAccuracy: true } }), "top-right");
  map.once("style.load", () => run({ map, ...catalogue, view, shown, bus, drawer, tabs }));
}

start();
