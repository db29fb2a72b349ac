// A recall drill: the stopwatch runs on, and the answer grows by as many lines as are needed.

const SECOND = 1000;

function written(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

function run(watch) {
  const begun = Date.now() - Number(watch.dataset.stopwatch) * SECOND;
  const face = watch.querySelector("[data-time]");
  const show = () => {
    face.textContent = written(Math.max(0, Math.floor((Date.now() - begun) / SECOND)));
  };
  show();
  setInterval(show, SECOND);
}

function growing(block) {
  const button = block.querySelector("[data-add-line]");
  button.hidden = false;
  button.addEventListener("click", () => {
    const lines = block.querySelectorAll(".drill-line");
    const last = lines[lines.length - 1];
    const line = last.cloneNode(true);
    line.setAttribute("aria-label", last.getAttribute("aria-label").replace(/\d+/, String(lines.length + 1)));
    for (const input of line.querySelectorAll("input")) {
      if (!input.name.endsWith("_unit")) input.value = "";
    }
    last.after(line);
    line.querySelector("input").focus();
  });
}

document.querySelectorAll("[data-stopwatch]").forEach(run);
document.querySelectorAll("[data-lines]").forEach(growing);
