// Buttons on the map besides MapLibre's own.

import { el, icon } from "../lib/dom.js";
import { t } from "../lib/text.js";

/** A button that returns to the whole province. */
export class HomeControl {
  constructor(bounds) {
    this.bounds = bounds;
  }

  onAdd(map) {
    const button = el(
      "button",
      {
        type: "button",
        title: t("home_extent"),
        "aria-label": t("home_extent"),
        on: { click: () => map.fitBounds(this.bounds, { padding: 24 }) },
      },
      icon("home"),
    );
    this.container = el("div", { class: "maplibregl-ctrl maplibregl-ctrl-group" }, button);
    return this.container;
  }

  onRemove() {
    this.container.remove();
  }
}
