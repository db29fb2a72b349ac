// Keeps a job's page in step with the job, and loads it anew when the job is over.

const SHORT_PAUSE = 1_000;
const LONG_PAUSE = 5_000;
const FAST_STEPS = 30;

const panel = document.getElementById("job");
const bar = panel.querySelector("progress");

function show(job) {
  for (const part of panel.querySelectorAll("[data-part]")) {
    const text = job[part.dataset.part] ?? "";
    if (part.textContent !== text) part.textContent = text;
  }
  if (job.total) {
    bar.max = job.total;
    bar.value = job.done;
  }
}

async function follow(step = 0) {
  try {
    const answer = await fetch(panel.dataset.status, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      const job = await answer.json();
      if (job.over) return location.reload();
      show(job);
    }
  } catch {
    // The server may be away for a moment; the next step asks again.
  }
  setTimeout(follow, step < FAST_STEPS ? SHORT_PAUSE : LONG_PAUSE, step + 1);
}

if (panel.dataset.status) follow();
