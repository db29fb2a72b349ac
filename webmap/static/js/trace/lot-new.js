// Another product has another number, shelf life and growing areas: ask for its form at once.

const choose = document.querySelector("#choose-product");
choose?.querySelector("select").addEventListener("change", () => choose.requestSubmit());
choose?.querySelector("button")?.setAttribute("hidden", "");

// The best-before date follows the production date by the product's shelf life, until somebody sets it.
const made = document.querySelector("#produced_on");
const expires = document.querySelector("#expires_on");
const days = Number(expires?.dataset.shelf);
let own = false;
expires?.addEventListener("input", () => (own = true));
made?.addEventListener("input", () => {
  const start = made.valueAsDate;
  if (start && days && !own) {
    expires.valueAsDate = new Date(start.getTime() + days * 86_400_000);
  }
});
