// The way from the table to a file: the chosen record of its layer, or what lies in view.

import { t } from "../lib/text.js";

/** Wires the link and the choice of format; `frame()` gives the box in view. */
export function makeExporting({ link, format, inView, frame, bus }) {
  let chosen = null;

  function draw() {
    const { layer } = inView.state;
    if (!layer) return;
    const own = chosen?.layer === layer;
    const box = frame();
    const part = own ? `?ids=${chosen.id}` : box ? `?bbox=${box.map((value) => value.toFixed(5)).join(",")}` : "";
    link.href = `/export/${layer}.${format.value}${part}`;
    link.title = t(own ? "export_chosen" : "export_in_view");
    link.setAttribute("aria-label", link.title);
  }

  format.addEventListener("change", draw);
  for (const name of ["inview", "layer-in-view"]) bus.on(name, draw);
  bus.on("selection", ({ selected }) => {
    chosen = selected;
    draw();
  });
}
