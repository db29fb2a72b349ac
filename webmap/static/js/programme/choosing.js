// What ballots and self-checks share: locked criteria, the case of a product, progress, and the keys J, K and 1–9.

const fields = (form) => [...form.querySelectorAll("[data-criterion]")];
const radios = (field) => [...field.querySelectorAll("input[type=radio]")];

export function lock(form, codes) {
  const locked = new Set(codes);
  for (const field of fields(form)) {
    const is = locked.has(field.dataset.criterion);
    field.toggleAttribute("data-locked", is);
    field.disabled = is;
  }
}

export function progress(form, missing) {
  const shown = form.querySelector("[data-progress]");
  const all = fields(form).length;
  if (shown) shown.textContent = `${all - missing}/${all}`;
}

// Only the options of the chosen case can be chosen; those of the other case lose their mark.
export function followCase(form) {
  const cases = form.querySelector("[data-cases]");
  if (!cases) return;
  const apply = () => {
    const chosen = cases.querySelector("input:checked")?.value;
    for (const input of form.querySelectorAll("input[data-case]")) {
      const open = input.dataset.case === chosen;
      if (!open) input.checked = false;
      input.disabled = !open;
    }
  };
  cases.addEventListener("change", apply);
  apply();
}

function isTyping(target) {
  return target.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
}

function step(form, way) {
  const all = fields(form).filter((field) => !field.disabled);
  const here = all.indexOf(document.activeElement.closest("[data-criterion]"));
  const next = all[here === -1 ? (way > 0 ? 0 : all.length - 1) : here + way];
  if (!next) return;
  const choices = radios(next).filter((input) => !input.disabled);
  (choices.find((input) => input.checked) ?? choices[0])?.focus();
  next.scrollIntoView({ block: "center" });
}

export function followKeys(form) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const key = event.key.toLowerCase();
    if (key === "j" || key === "k") {
      event.preventDefault();
      step(form, key === "j" ? 1 : -1);
      return;
    }
    const field = document.activeElement.closest("[data-criterion]");
    if (!field || !/^[1-9]$/.test(key)) return;
    const wanted = radios(field).filter((input) => !input.disabled)[Number(key) - 1];
    if (!wanted) return;
    event.preventDefault();
    wanted.focus();
    wanted.click();
  });
}
