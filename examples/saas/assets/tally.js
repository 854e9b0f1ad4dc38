// Copies the command, and updates the counters of an open dashboard. Without this script the page works by reloading.
"use strict";

const byId = (id) => document.getElementById(id);

const button = byId("copy");
if (button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(byId("command").textContent);
      byId("copied").textContent = "Copied.";
    } catch {
      byId("copied").textContent = "The browser does not allow this page to copy.";
    }
  });
}

const counters = byId("counters");
async function refresh() {
  if (document.hidden) return;
  const response = await fetch("/dashboard/counters");
  // the session ended
  if (response.status === 403) return location.reload();
  const html = response.ok ? await response.text() : null;
  // an unchanged region is not announced again
  if (html !== null && html !== counters.dataset.source) {
    counters.dataset.source = html;
    counters.innerHTML = html;
  }
}
if (counters) {
  counters.dataset.source = counters.innerHTML;
  setInterval(() => refresh().catch(() => {}), 1500);
}
