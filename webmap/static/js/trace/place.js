// The reader of a code may say roughly where: rounded here to a tenth of a degree, before anything is sent.

const DIGITS = 1;

for (const form of document.querySelectorAll("[data-place]")) {
  const button = form.querySelector("[data-place-here]");
  if (!("geolocation" in navigator)) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        form.elements.lon.value = coords.longitude.toFixed(DIGITS);
        form.elements.lat.value = coords.latitude.toFixed(DIGITS);
        form.requestSubmit();
      },
      () => {
        button.hidden = true;
        form.querySelector("select").focus();
      },
      { enableHighAccuracy: false, maximumAge: 600000, timeout: 10000 },
    );
  });
}
