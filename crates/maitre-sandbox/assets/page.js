// Updates the open page. Without this script the page works by reloading.
"use strict";

const MAX_LINES = 200;

const byId = (id) => document.getElementById(id);

function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

async function fetchText(url) {
  const response = await fetch(url, { headers: { accept: "text/html" } });
  return response.ok ? response.text() : null;
}

let toastTimer;
function toast(message) {
  const element = byId("toast");
  if (!element) return;
  element.textContent = message;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (element.textContent = ""), 6000);
}

// Submits the single sign-on form automatically.
function signOn() {
  const form = byId("sign-on");
  if (form) form.submit();
  const link = byId("sign-on-link");
  if (link) location.replace(link.href);
}

// Replaces an element if it changed, and keeps its focus and open details.
function replaceKeeping(old, fresh) {
  if (old.dataset.source === fresh.outerHTML) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : null;
  const open = [...old.querySelectorAll("details[open]")].map((it) => [...old.querySelectorAll("details")].indexOf(it));
  const source = fresh.outerHTML;
  old.replaceWith(fresh);
  fresh.dataset.source = source;
  const details = fresh.querySelectorAll("details");
  open.forEach((index) => details[index]?.setAttribute("open", ""));
  if (focused) byId(focused)?.focus();
}

function mergeInstalls(section) {
  const old = byId("installs");
  const [oldList, freshList] = [old.querySelector("ol.installs"), section.querySelector("ol.installs")];
  const known = new Map([...oldList.children].map((card) => [card.id, card]));
  const fresh = [...freshList.children];
  const isBusy = (card) => card.contains(document.activeElement) && document.activeElement.tagName === "SELECT";
  let next = oldList.firstElementChild;
  for (const card of fresh) {
    const old = known.get(card.id);
    known.delete(card.id);
    if (!old) {
      card.dataset.source = card.outerHTML;
      oldList.insertBefore(card, next);
      continue;
    }
    if (old !== next) oldList.insertBefore(old, next);
    next = old.nextElementSibling;
    if (!isBusy(old)) replaceKeeping(old, card);
  }
  known.forEach((card) => card.remove());
  // the elements before and after the list
  for (const child of [...old.children]) if (child !== oldList) child.remove();
  let before = true;
  for (const child of [...section.children]) {
    if (child === freshList) before = false;
    else if (before) old.insertBefore(child, oldList);
    else old.append(child);
  }
}

async function refreshInstalls() {
  const html = await fetchText("/sandbox/installs" + location.search);
  const section = html && fragment(html).querySelector("#installs");
  if (section && byId("installs")) mergeInstalls(section);
}

async function refreshPanel() {
  const html = await fetchText("/sandbox/panel");
  if (!html) return;
  const fresh = fragment(html);
  for (const id of ["reachable", "clock", "scheduled"]) {
    const [old, part] = [byId(id), fresh.querySelector("#" + id)];
    if (old && part) replaceKeeping(old, part);
  }
}

async function refreshLines() {
  const html = await fetchText("/sandbox/timeline" + location.search);
  const lines = html && fragment(html).querySelector("#lines");
  if (lines) byId("lines").replaceWith(lines);
}

function matchesFilter(line, query) {
  if (query.get("before")) return false;
  const install = query.get("install");
  if (install && line.dataset.install !== install) return false;
  return query.get("only") !== "problems" || "problem" in line.dataset;
}

function showLine(html, query) {
  const line = fragment(html).firstElementChild;
  const old = byId(line.id);
  if (!matchesFilter(line, query)) return old?.remove();
  if (old) {
    const details = old.querySelector("details");
    if (details?.open) {
      // stays open
      old.querySelector("summary").replaceWith(line.querySelector("summary"));
      old.className = line.className;
      old.querySelector(".findings")?.remove();
      const findings = line.querySelector(".findings");
      if (findings) old.append(findings);
      load(details);
    } else {
      old.replaceWith(line);
    }
    return;
  }
  byId("lines").querySelector(".empty")?.remove();
  const list = byId("lines").querySelector("ol");
  const id = Number(line.dataset.id);
  const next = [...list.children].find((other) => Number(other.dataset.id) < id);
  line.classList.add("fresh");
  list.insertBefore(line, next ?? null);
  while (list.children.length > MAX_LINES) list.lastElementChild.remove();
}

async function load(details) {
  const content = details.querySelector(".raw");
  const html = await fetchText(details.dataset.load);
  if (html) content.replaceChildren(fragment(html));
}

let stale = { installs: false, panel: false };
let refreshing = false;
async function refresh() {
  if (refreshing) return;
  refreshing = true;
  while (stale.installs || stale.panel) {
    const { installs, panel } = stale;
    stale = { installs: false, panel: false };
    if (installs) await refreshInstalls();
    if (panel) await refreshPanel();
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  refreshing = false;
}

function listen() {
  const live = byId("live");
  const source = new EventSource("/sandbox/events");
  let wasOffline = false;
  source.onopen = () => {
    live.dataset.state = "on";
    live.textContent = "live";
    if (wasOffline) location.reload();
  };
  source.onerror = () => {
    live.dataset.state = "off";
    live.textContent = "disconnected";
    wasOffline = true;
  };
  source.onmessage = async (event) => {
    const batch = JSON.parse(event.data);
    const query = new URLSearchParams(location.search);
    if (batch.missed) await refreshLines();
    batch.lines.forEach((html) => showLine(html, query));
    stale.installs ||= batch.installs;
    stale.panel ||= batch.panel;
    refresh().catch(() => (refreshing = false));
  };
  // closes the connection immediately when the user leaves the page
  addEventListener("pagehide", () => source.close());
}

function tick() {
  const [clock, now] = [byId("clock"), byId("now")];
  if (!clock || !now) return;
  const at = new Date(Date.now() + Number(clock.dataset.ahead));
  now.textContent = at.toISOString().slice(0, 19).replace("T", " ") + " UTC";
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.quiet) return;
  event.preventDefault();
  const button = event.submitter;
  const body = new URLSearchParams(new FormData(form, button));
  if (button?.ariaDisabled) return;
  // a disabled button would lose the focus
  if (button) button.ariaDisabled = "true";
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { accept: "text/html" } });
    if (!response.ok) {
      const problem = fragment(await response.text()).querySelector("#problem, h1");
      toast(problem ? problem.textContent : "The request failed.");
    }
  } catch {
    toast("The sandbox does not respond.");
  } finally {
    if (button) button.ariaDisabled = null;
  }
});

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-reveal], a[data-swap], #older");
  if (!link || event.metaKey || event.ctrlKey) return;
  if (link.dataset.reveal) {
    event.preventDefault();
    const html = await fetchText(link.href);
    if (html) {
      const config = link.closest(".config");
      const fresh = fragment(html).firstElementChild;
      config.replaceWith(fresh);
      fresh.tabIndex = -1;
      fresh.focus();
    }
  } else if (link.dataset.swap) {
    event.preventDefault();
    const html = await fetchText(link.dataset.swap);
    if (html) link.closest(".content").replaceWith(fragment(html));
  } else {
    event.preventDefault();
    const html = await fetchText("/sandbox/timeline" + link.search);
    const older = html && fragment(html).querySelector("#lines");
    if (!older) return;
    const list = byId("lines").querySelector("ol");
    const first = older.querySelector("li");
    list.append(...older.querySelector("ol").children);
    byId("lines").querySelector("nav")?.remove();
    const nav = older.querySelector("nav");
    if (nav) byId("lines").append(nav);
    first?.querySelector("summary")?.focus();
  }
});

// the toggle event does not bubble
document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.dataset?.load && event.target.open) load(event.target);
  },
  true,
);

signOn();
if (byId("columns")) {
  listen();
  setInterval(tick, 1000);
}
