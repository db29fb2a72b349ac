// What stands in the map's place where the browser cannot draw it: a sentence and the server-drawn map.

import { announce, el } from "../lib/dom.js";
import { t } from "../lib/text.js";

/** Shows a sentence and, if it can be had, the SVG of the province. */
export async function showFallback(container, sentence, svgAddress) {
  const picture = el("div", { class: "svg-map" });
  const box = el(
    "div",
    { class: "map-fallback", role: "group", "aria-label": t("Map.Title") },
    el("div", { class: "notice warn" }, el("p", {}, sentence)),
    picture,
  );
  container.replaceChildren(box);
  container.dataset.mapFallback = "1";
  announce(sentence);
  if (!svgAddress) return;
  const answer = await fetch(svgAddress).catch(() => null);
  if (!answer?.ok) return;
  const drawn = new DOMParser().parseFromString(await answer.text(), "image/svg+xml");
  picture.append(document.importNode(drawn.documentElement, true));
}
