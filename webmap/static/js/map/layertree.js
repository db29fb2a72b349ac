// The layer tree: show or hide, opacity, legend, and which layer the list twin shows.

import { announce, el, icon, swatch } from "../lib/dom.js";
import { local, number, t } from "../lib/text.js";
import { applyOpacity } from "./opacity.js";

/** Builds the tree into `container`; `shown` maps ids of visible layers to their opacity in percent. */
export function makeLayerTree({ container, map, layers, styles, shown, bus }) {
  const rows = new Map();

  function show(id, visible, percent = shown.get(id) ?? 100) {
    if (visible) shown.set(id, percent);
    else shown.delete(id);
    for (const layer of styles.get(id)?.layers ?? []) {
      if (!map.getLayer(layer.id)) continue;
      map.setLayoutProperty(layer.id, "visibility", visible ? "visible" : "none");
      applyOpacity(map, layer, percent / 100);
    }
    const row = rows.get(id);
    row.box.checked = visible;
    row.slider.value = percent;
    row.output.textContent = `${percent} %`;
  }

  function change(id, visible, percent) {
    show(id, visible, percent);
    bus.tell("layers");
    const name = local(layers.get(id).title);
    announce(t(visible ? "layer_shown" : "layer_hidden", { name }));
  }

  function row(layer) {
    const box = el("input", {
      type: "checkbox",
      id: `show-${layer.id}`,
      on: { change: () => change(layer.id, box.checked) },
    });
    const slider = el("input", {
      type: "range",
      min: 10,
      max: 100,
      step: 10,
      value: 100,
      id: `opacity-${layer.id}`,
      on: { input: () => show(layer.id, true, Number(slider.value)), change: () => bus.tell("layers") },
    });
    const output = el("output", { for: slider.id }, "100 %");
    rows.set(layer.id, { box, slider, output });
    const label = el("label", { for: box.id }, local(layer.title), " ");
    label.append(el("span", { class: "count" }, number(layer.count, 0)));
    const more = el(
      "div",
      { class: "layer-more", id: `more-${layer.id}`, hidden: true },
      el("div", { class: "opacity" }, el("label", { for: slider.id }, t("opacity")), slider, output),
      legend(styles.get(layer.id)),
      layerButtons(layer),
    );
    return el(
      "li",
      { class: "layer", data: { layer: layer.id } },
      el("div", { class: "layer-name" }, box, label),
      moreButton(layer, more),
      more,
    );
  }

  function moreButton(layer, more) {
    const title = t("layer_more", { name: local(layer.title) });
    const button = el(
      "button",
      { type: "button", class: "layer-open", "aria-expanded": "false", "aria-controls": more.id, title, "aria-label": title },
      icon("sliders"),
    );
    button.addEventListener("click", () => {
      more.hidden = !more.hidden;
      button.setAttribute("aria-expanded", String(!more.hidden));
    });
    return button;
  }

  function layerButtons(layer) {
    const list = el(
      "button",
      { type: "button", class: "button plain small", on: { click: () => bus.tell("browse", { layer: layer.id }) } },
      t("list_of_layer"),
    );
    const extent = el(
      "button",
      {
        type: "button",
        class: "button plain small",
        on: { click: () => layer.bounds && map.fitBounds(layer.bounds, { padding: 30 }) },
      },
      t("zoom_to_layer"),
    );
    return el("div", { class: "buttons" }, list, extent);
  }

  for (const [title, members] of groups(layers)) {
    const list = el("ul", {}, ...members.map(row));
    container.append(el("fieldset", { class: "layer-group" }, el("legend", {}, title), list));
  }
  const showAll = (wanted) => {
    for (const id of layers.keys()) show(id, wanted.has(id), wanted.get(id) ?? 100);
  };
  showAll(new Map(shown));
  return { showAll };
}

function groups(layers) {
  const found = new Map();
  for (const layer of layers.values()) {
    const title = local(layer.group);
    found.set(title, [...(found.get(title) ?? []), layer]);
  }
  return found;
}

function legend(style) {
  const entries = style?.metadata?.legend ?? [];
  if (!entries.length) return null;
  const rows = entries.map((entry) =>
    el("li", {}, swatch(entry.shape, entry.color), el("span", {}, local(entry.label))),
  );
  return el("ul", { class: "legend" }, ...rows);
}
