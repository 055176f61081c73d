// What others change at the desk is here within two seconds. Names that are shown stay: they are not asked for again.

const EVERY = 2000;
const LONGEST = 30000;
let wait = EVERY;
let timer = 0;

const live = () => document.querySelector("[data-pulse]");

const changed = async (region) => {
  const answer = await fetch(region.dataset.pulse, {
    cache: "no-store",
    headers: { "If-None-Match": `"${region.dataset.mark}"` },
  });
  if (answer.status === 403) return null;
  if (answer.status !== 304 && answer.status !== 204) throw new Error(answer.statusText);
  return answer.status === 204;
};

const fresh = async (region) => {
  const ids = new Set([...region.querySelectorAll("[data-known]")].map((one) => one.dataset.known));
  const address = new URL(location.href);
  address.searchParams.set("known", [...ids].join(","));
  const answer = await fetch(address, { cache: "no-store" });
  if (!answer.ok || answer.redirected) return location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (live() === region && !("held" in region.dataset)) swap(region, page);
};

const swap = (region, page) => {
  const next = page.querySelector("[data-pulse]");
  if (!next) return;
  for (const name of next.querySelectorAll("[data-name]")) {
    const before = region.querySelector(`[data-name="${name.dataset.name}"]`);
    if (before && before.dataset.known) name.replaceWith(document.importNode(before, true));
  }
  const open = [...region.querySelectorAll("details")].map((one) => one.open);
  next.querySelectorAll("details").forEach((one, number) => { one.open = open[number] ?? false; });
  const focused = region.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const seen = region.querySelector(".grid-scroll");
  const [left, top] = [seen?.scrollLeft ?? 0, seen?.scrollTop ?? 0];
  const cost = page.querySelector(".cost");
  if (cost) document.querySelector(".cost")?.replaceWith(cost);
  region.dataset.mark = next.dataset.mark;
  region.replaceChildren(...next.childNodes);
  const grid = region.querySelector(".grid-scroll");
  if (grid) [grid.scrollLeft, grid.scrollTop] = [left, top];
  if (focused) [...region.querySelectorAll("a")].find((one) => one.getAttribute("href") === focused)?.focus();
};

// The page is not fetched for the clock's sake, which would keep a session awake: what time alone changes moves here.
const age = () => {
  const now = Date.now();
  for (const one of document.querySelectorAll("[data-due][hidden]")) one.hidden = one.dataset.due * 1000 > now;
  for (const line of document.querySelectorAll(".daygrid .now")) {
    line.dataset.since ??= now;
    line.dataset.from ??= line.dataset.h * 60 + Number(line.dataset.m);
    const minute = Number(line.dataset.from) + Math.floor((now - line.dataset.since) / 60000);
    line.dataset.h = Math.floor(minute / 60);
    line.dataset.m = minute % 60;
    line.hidden = minute >= line.closest(".daygrid").dataset.last * 60;
  }
};

const tick = async () => {
  const region = live();
  clearTimeout(timer);
  if (!region || document.hidden) return;
  age();
  if ("held" in region.dataset) {
    // Something is being carried over it.
    timer = setTimeout(tick, EVERY);
    return;
  }
  const lost = document.querySelector("#live-lost");
  try {
    const differs = await changed(region);
    if (differs === null) return location.reload();
    if (differs) await fresh(region);
    wait = EVERY;
    if (lost) lost.hidden = true;
  } catch {
    wait = Math.min(wait * 2, LONGEST);
    if (lost) lost.hidden = false;
  }
  timer = setTimeout(tick, wait);
};

document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
age();
timer = setTimeout(tick, EVERY);
