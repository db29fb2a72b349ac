// The trace screen: rows of the tree fold under the one above them, and the picture begins at the lot that was asked for.

function rowsBelow(row) {
  const found = [];
  const level = Number(row.dataset.level);
  for (let next = row.nextElementSibling; next && Number(next.dataset.level) > level; next = next.nextElementSibling) {
    found.push(next);
  }
  return found;
}

function show(table) {
  let hiddenBelow = Infinity;
  for (const row of table.querySelectorAll("tr[data-level]")) {
    const level = Number(row.dataset.level);
    if (level <= hiddenBelow) hiddenBelow = Infinity;
    row.hidden = level > hiddenBelow;
    const button = row.querySelector("[data-fold]");
    if (!row.hidden && button?.getAttribute("aria-expanded") === "false") hiddenBelow = level;
  }
}

function prepare(table) {
  for (const row of table.querySelectorAll("tr[data-level]")) {
    const button = row.querySelector("[data-fold]");
    if (!button || rowsBelow(row).length === 0) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") === "false"));
      show(table);
    });
  }
}

document.querySelectorAll("table[data-tree]").forEach(prepare);

for (const picture of document.querySelectorAll(".trace-diagram")) {
  const box = picture.querySelector("[aria-current] rect");
  if (!box) continue;
  picture.scrollLeft = Number(box.getAttribute("x")) + (box.width.baseVal.value - picture.clientWidth) / 2;
}
