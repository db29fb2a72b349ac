// Maps on demand: the server's picture stands until somebody asks for the interactive map in its place.

import { el } from "./lib/dom.js";
import { pageData, t } from "./lib/text.js";

function loadStyle(href) {
  return new Promise((resolve) => {
    const link = el("link", { rel: "stylesheet", href, on: { load: resolve, error: resolve } });
    document.head.append(link);
  });
}

async function open(frame, button) {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  const config = pageData("map-config");
  const place = frame.querySelector("[data-embed-place]");
  try {
    const [{ showMap }] = await Promise.all([
      import("./lib/minimap.js"),
      loadStyle(config.stylesheet),
      loadStyle(config.mapStylesheet),
    ]);
    await showMap(place, config, JSON.parse(frame.dataset.embed));
    button.hidden = true;
  } catch (error) {
    if (!error.sentence) reportError(error);
    button.replaceWith(el("p", { class: "notice warn", role: "status" }, error.sentence ?? t("no_answer")));
  }
}

for (const frame of document.querySelectorAll("[data-embed]")) {
  const button = frame.querySelector("[data-embed-open]");
  button.hidden = false;
  button.addEventListener("click", () => open(frame, button));
}
