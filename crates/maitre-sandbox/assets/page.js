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

// Announces a change to screen readers.
function announce(message) {
  const element = byId("announcements");
  if (element && message) element.textContent = message;
}

// Submits the single sign-on form automatically.
function signOn() {
  const form = byId("sign-on");
  if (form) form.submit();
  const link = byId("sign-on-link");
  if (link) location.replace(link.href);
}

// Replaces an element if it changed, and keeps its focus and its open and closed details.
function replaceKeeping(old, fresh) {
  const source = fresh.outerHTML;
  if (old.dataset.source === source) return;
  const hadFocus = old.contains(document.activeElement);
  const focused = hadFocus ? document.activeElement.id : null;
  const details = fresh.querySelectorAll("details");
  old.querySelectorAll("details").forEach((it, index) => details[index]?.toggleAttribute("open", it.open));
  old.replaceWith(fresh);
  fresh.dataset.source = source;
  if (!hadFocus) return;
  const target = (focused && byId(focused)) || fresh.querySelector("summary, button, a");
  target?.focus();
}

// Moves the focus from a card that will be removed to the next card, or to the title of the list.
function moveFocusFrom(card) {
  if (!card.contains(document.activeElement)) return;
  const beside = card.nextElementSibling ?? card.previousElementSibling;
  (beside?.querySelector("summary") ?? byId("installs-title")).focus();
}

function mergeCard(old, card) {
  const trial = (it) => it.querySelector(".trial")?.textContent;
  const result = trial(card);
  if (result && result !== trial(old)) announce(card.dataset.name + ": " + result);
  const focusIsIn = old.contains(document.activeElement);
  const isBusy = focusIsIn && document.activeElement.tagName === "SELECT";
  if (!isBusy) replaceKeeping(old, card);
}

function mergeInstalls(section) {
  const old = byId("installs");
  const [oldList, freshList] = [old.querySelector("ol.installs"), section.querySelector("ol.installs")];
  const known = new Map([...oldList.children].map((card) => [card.id, card]));
  const fresh = [...freshList.children];
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
    mergeCard(old, card);
  }
  known.forEach((card) => {
    moveFocusFrom(card);
    card.remove();
  });
  replaceKeeping(old.querySelector(".title"), section.querySelector(".title"));
  // the elements between title and list, and after the list
  for (const child of [...old.children]) if (!child.matches(".title, ol")) child.remove();
  for (const child of [...section.children]) {
    if (child.matches(".title, ol")) continue;
    if (child.matches(".empty")) old.insertBefore(child, oldList);
    else old.append(child);
  }
}

async function refreshInstalls() {
  const query = new URLSearchParams(location.search);
  // the details of open cards only
  query.set("open", [...document.querySelectorAll(".install > details[open]")].map((it) => it.dataset.uuid).join());
  const html = await fetchText("/sandbox/installs?" + query);
  const section = html && fragment(html).querySelector("#installs");
  if (section && byId("installs")) mergeInstalls(section);
}

async function refreshPanel() {
  const html = await fetchText("/sandbox/panel");
  if (!html) return;
  const fresh = fragment(html);
  for (const id of ["reachable", "clock", "scheduled", "hints"]) {
    const [old, part] = [byId(id), fresh.querySelector("#" + id)];
    if (old && part) replaceKeeping(old, part);
  }
}

// Renders the timeline again, and keeps its open lines.
async function refreshLines() {
  const html = await fetchText("/sandbox/timeline" + location.search);
  const lines = html && fragment(html).querySelector("#lines");
  if (!lines) return;
  const focused = document.activeElement?.closest("#lines li")?.id;
  for (const line of [...lines.querySelectorAll("li.line")]) {
    const old = byId(line.id);
    if (old?.querySelector("details[open]")) line.replaceWith(old);
  }
  byId("lines").replaceWith(lines);
  byId("show-all").hidden = !("filtered" in lines.dataset);
  if (focused && !byId(focused)?.contains(document.activeElement)) byId(focused)?.querySelector("summary")?.focus();
}

// Joins neighboring lines of one operation.
function joinLines() {
  for (const line of byId("lines").querySelectorAll("li.line")) {
    const { operation } = line.dataset;
    line.classList.toggle("joins", operation !== undefined && operation === line.nextElementSibling?.dataset.operation);
  }
}

function showLine(html) {
  const line = fragment(html).firstElementChild;
  const old = byId(line.id);
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
      const hadFocus = old.contains(document.activeElement);
      old.replaceWith(line);
      if (hadFocus) line.querySelector("summary")?.focus();
    }
    return;
  }
  if (new URLSearchParams(location.search).has("before")) return;
  if (line.classList.contains("note")) announce(line.querySelector("strong").textContent);
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
    const isFiltered = "filtered" in byId("lines").dataset;
    if (batch.missed || (isFiltered && batch.lines.length)) await refreshLines();
    else batch.lines.forEach(showLine);
    joinLines();
    stale.installs ||= batch.installs;
    // a call may be one of the things to try
    stale.panel ||= batch.panel || (batch.lines.length > 0 && byId("hints").hasChildNodes());
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
  closeMenus();
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
  const copied = event.target.closest?.("button.copy");
  if (copied) return copy(copied);
  const link = event.target.closest?.("a[data-reveal], a[data-swap], a[data-only], #older");
  if (!link || event.metaKey || event.ctrlKey) return;
  if ("only" in link.dataset) {
    event.preventDefault();
    document.querySelectorAll("a[data-only]").forEach((it) => it.removeAttribute("aria-current"));
    link.setAttribute("aria-current", "true");
    return filterLines([["only", link.dataset.only]]);
  }
  if (link.dataset.reveal) {
    event.preventDefault();
    // the address remembers which values are shown
    history.replaceState(null, "", link.href);
    await refreshInstalls();
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
    joinLines();
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
    if (!event.target.open) return;
    if (event.target.dataset.load) load(event.target);
    if (event.target.querySelector(":scope > a.more")) refreshInstalls();
  },
  true,
);

async function copy(button) {
  const text = button.dataset.copy ?? (await fetchText(button.dataset.copyFrom));
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.");
  } catch {
    toast("The browser does not allow this page to copy.");
  }
}

function closeMenus(except) {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (menu !== except) menu.open = false;
  });
}

document.addEventListener("click", (event) => closeMenus(event.target.closest?.("details.menu")));
document.addEventListener("keydown", (event) => {
  const menu = document.querySelector("details.menu[open]");
  if (event.key !== "Escape" || !menu) return;
  menu.querySelector("summary").focus();
  menu.open = false;
});

// Shows only the faults that the chosen call can meet.
function limitFaults() {
  const form = byId("fault-form");
  if (!form) return;
  const call = form.elements.call.selectedOptions[0];
  const direction = call.parentElement.dataset.direction;
  const [select, before] = [form.elements.fault, form.elements.fault.selectedOptions[0]];
  for (const option of select.options) {
    const calls = option.dataset.calls?.split(" ");
    const applies = !calls || call.value === "" || calls.includes(call.value);
    option.disabled = option.hidden = option.parentElement.dataset.direction !== direction || !applies;
  }
  if (before.disabled) [...select.options].find((option) => !option.disabled).selected = true;
}

// Filters the timeline while the user types and chooses.
let filterTimer;
function filterLines(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of [["before", ""], ...changes]) value ? query.set(name, value) : query.delete(name);
  history.replaceState(null, "", "?" + query);
  clearTimeout(filterTimer);
  filterTimer = setTimeout(refreshLines, 200);
}

document.addEventListener("input", (event) => {
  if (event.target.form?.id === "search") filterLines(["q", "kind", "status", "direction"].map((name) => [name, event.target.form.elements[name].value]));
  if (event.target.form?.id === "fault-form") limitFaults();
});

document.documentElement.classList.add("scripts");
signOn();
limitFaults();
if (byId("columns")) {
  document.querySelectorAll(".install, #installs > .title").forEach((it) => (it.dataset.source = it.outerHTML));
  listen();
  setInterval(tick, 1000);
}
