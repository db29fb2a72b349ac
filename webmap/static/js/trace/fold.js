// The tree of a trace as a table: rows fold and unfold under the one above them.

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
