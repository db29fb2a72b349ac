// Adds up the chosen points while somebody scores; the server counts for good.

for (const form of document.querySelectorAll("[data-scores]")) {
  const total = form.querySelector("[data-total]");
  const show = () => {
    const chosen = [...form.querySelectorAll("input[type=radio]:checked")];
    if (total) total.value = `${chosen.reduce((sum, input) => sum + Number(input.dataset.points), 0)} / 100`;
  };
  form.addEventListener("change", show);
  show();
}
