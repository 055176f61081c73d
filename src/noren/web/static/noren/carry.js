// A booking is carried to another time or column, made longer, or an empty place is marked to be blocked: with a
// mouse, with a finger that rests first, or by keys. Nothing is done here; it leads to the page that asks.

const RESTS = 450;
const SLIPS = 6;
const EDGE = 12;
const NEAR = 48;
const DAY = 1440;
let press = null;
let held = null;
let swallow = false;

const whole = (value) => Number.parseInt(value, 10);
const begins = (one) => whole(one.dataset.h) * 60 + whole(one.dataset.m);
const lasts = (one) => whole(one.dataset.lh) * 60 + whole(one.dataset.lm);
const gridOf = (one) => one.closest(".daygrid");
const lanes = (grid) => [...grid.querySelectorAll("[data-lane]")];
const first = (grid) => whole(grid.dataset.first) * 60;
const last = (grid) => whole(grid.dataset.last) * 60;
const step = (grid) => whole(grid.dataset.step) || 5;
const snapped = (minute, by) => Math.round(minute / by) * by;
const two = (number) => String(number).padStart(2, "0");
const digits = (minute) => `${two(Math.floor((minute % DAY) / 60))}:${two(minute % 60)}`;

const clock = (minute) => {
  const lang = document.documentElement.lang || "ja";
  if (lang.startsWith("ja")) return `${Math.floor(minute / 60)}:${two(minute % 60)}`;
  const at = new Date(Date.UTC(2000, 0, 1, 0, minute % DAY));
  return new Intl.DateTimeFormat(lang, { hour: "numeric", minute: "2-digit", timeZone: "UTC" }).format(at);
};

// The axis goes on past midnight: what lies there is of the next day.
const dayOf = (grid, minute) => {
  const at = new Date(`${grid.dataset.date}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + Math.floor(minute / DAY));
  return at.toISOString().slice(0, 10);
};

const minuteAt = (field, y) => {
  const grid = gridOf(field);
  const box = field.getBoundingClientRect();
  return first(grid) + ((y - box.top) / box.height) * (last(grid) - first(grid));
};

const laneAt = (grid, x) => lanes(grid).find((one) => {
  const box = one.getBoundingClientRect();
  return box.left <= x && x < box.right;
});

const say = (words) => {
  const line = document.querySelector("#carry");
  if (line) line.textContent = words;
};

const words = (name) => document.querySelector("#carry")?.dataset[name] ?? "";

const draw = () => {
  const { ghost, lane, start, length } = held;
  Object.assign(ghost.dataset, {
    h: Math.floor(start / 60), m: start % 60, lh: Math.floor(length / 60), lm: length % 60,
  });
  const field = lane.querySelector(".field-of-time");
  if (ghost.parentElement !== field) field.append(ghost);
  ghost.textContent = `${clock(start)}–${clock(start + length)}`;
};

const tell = () => {
  const { lane, start, length, more } = held;
  const span = `${clock(start)}–${clock(start + length)}, ${lane.dataset.called}`;
  say(more === undefined ? span : `+${more} ${words("minutes")}: ${span}`);
};

const begin = (kind, grid, lane, start, length, rest) => {
  const ghost = document.createElement("span");
  ghost.className = "block ghost";
  ghost.setAttribute("aria-hidden", "true");
  held = { kind, grid, lane, start, length, ghost, ...rest };
  grid.closest("[data-pulse]")?.setAttribute("data-held", "");
  grid.classList.add("carrying");
  held.block?.classList.add("lifted");
  draw();
};

const end = () => {
  if (!held) return;
  held.ghost.remove();
  held.grid.classList.remove("carrying");
  held.grid.closest("[data-pulse]")?.removeAttribute("data-held");
  held.block?.classList.remove("lifted");
  held = null;
};

const giveUp = () => {
  swallow = press !== null;
  end();
  say(words("left"));
};

const go = () => {
  const { kind, grid, lane, start, length, block, from, home, more, base } = held;
  const there = start !== base || lane !== home;
  if (kind === "longer") {
    if (!more) return giveUp();
    location.assign(`${block.dataset.longer}?minutes=${more}`);
  } else if (kind === "move") {
    if (!there) return giveUp();
    const at = start - from;
    const asked = { date: dayOf(grid, at), time: digits(at), lane: lane === home ? "" : lane.dataset.lane };
    location.assign(`${block.dataset.moves}?${new URLSearchParams(asked)}`);
  } else {
    const until = dayOf(grid, start + length);
    const asked = { resource: lane.dataset.lane, date: dayOf(grid, start), from: digits(start) };
    asked.to = digits(start + length);
    if (until !== asked.date) asked.until = until;
    location.assign(`${grid.dataset.block}?${new URLSearchParams(asked)}`);
  }
  end();
};

const lift = (block, rest) => {
  const start = begins(block);
  const from = start - whole(block.dataset.since);
  const lane = block.closest("[data-lane]");
  begin("move", gridOf(block), lane, start, lasts(block), { block, from, home: lane, base: start, ...rest });
};

const stretch = (block, rest) => {
  const lane = block.closest("[data-lane]");
  const length = lasts(block);
  begin("longer", gridOf(block), lane, begins(block), length, { block, home: lane, usual: length, more: 0, ...rest });
};

const moveTo = (start, lane) => {
  const low = first(held.grid);
  held.start = Math.min(Math.max(start, low), Math.max(low, last(held.grid) - Math.min(held.length, 60)));
  held.lane = lane ?? held.lane;
};

const longer = (more) => {
  held.more = Math.min(Math.max(more, 0), 180);
  held.length = held.usual + held.more;
};

// -- a pointer

const aim = (event) => {
  const { x, y, target } = press;
  const block = target.closest(".block");
  const field = target.closest(".field-of-time");
  const grid = gridOf(target);
  if (block?.dataset.longer && y > block.getBoundingClientRect().bottom - EDGE) {
    stretch(block, { grip: y });
  } else if (block?.dataset.moves) {
    lift(block, { grip: minuteAt(field, y) - begins(block) });
  } else if (!block && field && grid.dataset.block) {
    const by = step(grid);
    const anchor = Math.floor(minuteAt(field, y) / by) * by;
    begin("block", grid, field.closest("[data-lane]"), anchor, by, { anchor });
  }
  if (held) follow(event);
  return held !== null;
};

const follow = (event) => {
  const { kind, grid, grip } = held;
  const by = step(grid);
  const field = held.lane.querySelector(".field-of-time");
  const at = minuteAt(field, event.clientY);
  if (kind === "move") {
    moveTo(snapped(at - grip, by), laneAt(grid, event.clientX));
  } else if (kind === "longer") {
    longer(snapped(at - begins(held.block) - held.usual, 5));
  } else {
    const [low, high] = [Math.min(at, held.anchor), Math.max(at, held.anchor + by)];
    held.start = Math.max(first(grid), Math.floor(low / by) * by);
    held.length = Math.min(last(grid), Math.ceil(high / by) * by) - held.start;
  }
  draw();
  const scroll = grid.closest(".grid-scroll");
  const box = scroll.getBoundingClientRect();
  if (event.clientX > box.right - NEAR) scroll.scrollLeft += 12;
  if (event.clientX < box.left + NEAR) scroll.scrollLeft -= 12;
  if (event.clientY > Math.min(box.bottom, innerHeight) - NEAR) scroll.scrollTop += 12;
  if (event.clientY < Math.max(box.top, 0) + NEAR) scroll.scrollTop -= 12;
};

const release = () => {
  clearTimeout(press?.timer);
  press = null;
};

document.addEventListener("pointerdown", (event) => {
  swallow = false;
  if (held) return giveUp();
  const target = event.target.closest?.(".daygrid [data-lane] .field-of-time") ? event.target : null;
  if (!target || event.button !== 0 || !event.isPrimary) return;
  press = { x: event.clientX, y: event.clientY, target, id: event.pointerId, touch: event.pointerType !== "mouse" };
  if (press.touch) press.timer = setTimeout(() => {
    if (aim({ clientX: press.x, clientY: press.y })) navigator.vibrate?.(20);
  }, RESTS);
});

document.addEventListener("pointermove", (event) => {
  if (!press || event.pointerId !== press.id) return;
  if (held) return follow(event);
  if (Math.hypot(event.clientX - press.x, event.clientY - press.y) < SLIPS) return;
  if (press.touch) return release();
  if (!aim(event)) release();
});

document.addEventListener("pointerup", (event) => {
  if (!press || event.pointerId !== press.id) return;
  release();
  if (!held) return;
  swallow = true;
  tell();
  go();
});

document.addEventListener("pointercancel", () => {
  release();
  if (held) giveUp();
});

// A finger that carries does not scroll, and opens no menu; a link is not dragged off the page.
document.addEventListener("touchmove", (event) => { if (held && press) event.preventDefault(); }, { passive: false });
document.addEventListener("contextmenu", (event) => { if (press?.touch) event.preventDefault(); });
document.addEventListener("dragstart", (event) => { if (event.target.closest?.(".daygrid")) event.preventDefault(); });

document.addEventListener("click", (event) => {
  if (swallow) {
    swallow = false;
    event.preventDefault();
    event.stopPropagation();
    return;
  }
  const shut = event.target.closest?.("a.shut");
  if (!shut || !event.detail) return;
  // Where it was pressed is what is asked about.
  const grid = gridOf(shut);
  const minute = snapped(minuteAt(shut.closest(".field-of-time"), event.clientY), step(grid));
  const address = new URL(shut.href);
  address.searchParams.set("date", dayOf(grid, minute));
  address.searchParams.set("time", digits(minute));
  shut.href = address;
}, true);

// -- keys

const NEXT = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

const steer = (key) => {
  const [down, right] = NEXT[key];
  if (held.kind === "longer") {
    longer(held.more + down * 5);
  } else {
    const all = lanes(held.grid);
    const beside = all[Math.min(Math.max(all.indexOf(held.lane) + right, 0), all.length - 1)];
    moveTo(held.start + down * step(held.grid), beside);
  }
  draw();
  held.ghost.scrollIntoView({ block: "nearest", inline: "nearest" });
  tell();
};

const whileHeld = (event) => {
  if (event.key in NEXT) steer(event.key);
  else if (event.key === "Enter") go();
  else if (event.key === "Escape" || event.key === "Tab") giveUp();
  else return;
  if (event.key !== "Tab") event.preventDefault();
};

document.addEventListener("keydown", (event) => {
  if (held) return whileHeld(event);
  const block = document.activeElement?.closest?.(".daygrid .block");
  if (!block || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.toLowerCase() === "m" && block.dataset.moves) {
    lift(block);
    say(words("grabbed"));
  } else if (event.shiftKey && event.key === "ArrowDown" && block.dataset.since) {
    if (!block.dataset.longer) return say(words("cannot"));
    stretch(block);
    steer("ArrowDown");
  } else return;
  event.preventDefault();
});
