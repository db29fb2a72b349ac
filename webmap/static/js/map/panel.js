// The side panel: tabs, the drawer on small screens, the dock of the table.

/** Wires tabs by the ARIA pattern; `opened(name)` is called with the name of the open tab. */
export function makeTabs(list, opened) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];

  function open(tab, focus = true) {
    for (const other of tabs) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
    }
    if (focus) tab.focus();
    opened(tab.dataset.tab);
  }

  list.addEventListener("click", (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) open(tab);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const here = tabs.indexOf(document.activeElement);
    open(tabs[(here + step + tabs.length) % tabs.length]);
  });
  return { open: (name) => open(tabs.find((tab) => tab.dataset.tab === name), false) };
}

/** Wires the drawer that the panel becomes on small screens. */
export function makeDrawer({ panel, openButton, closeButton }) {
  const set = (open) => {
    panel.classList.toggle("open", open);
    openButton.setAttribute("aria-expanded", String(open));
  };
  openButton.addEventListener("click", () => {
    set(true);
    closeButton.focus();
  });
  const close = () => {
    if (!panel.classList.contains("open")) return;
    set(false);
    openButton.focus({ preventScroll: true });
  };
  closeButton.addEventListener("click", close);
  panel.addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && close());
  return { close };
}

/** Wires a button that folds a dock in and out. */
export function makeDock({ dock, button, closeButton, changed }) {
  const set = (open) => {
    dock.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    changed(open);
  };
  button.addEventListener("click", () => set(dock.hidden));
  closeButton.addEventListener("click", () => {
    set(false);
    button.focus();
  });
  return { open: () => set(true) };
}
