// The bar of a service's time follows its fields. Without this it shows what is kept.

const timing = document.querySelector(".timing");
const svg = timing?.querySelector(".bar svg");
const SVG = "http://www.w3.org/2000/svg";

const number = (field) => Math.max(0, Number.parseInt(field?.value ?? "", 10) || 0);

const stretches = () => {
  const found = [["buffer", number(document.querySelector("[name=before]"))]];
  for (const line of timing.querySelectorAll(".segments li")) {
    const minutes = number(line.querySelector("input[type=number]"));
    const first = line.querySelector("input[type=checkbox]");
    line.classList.toggle("empty", !minutes);
    found.push([first?.checked ? "work" : "free", minutes]);
  }
  found.push(["buffer", number(document.querySelector("[name=after]"))]);
  return found.filter(([, minutes]) => minutes);
};

const draw = () => {
  let at = 0;
  const parts = stretches();
  svg.replaceChildren(
    ...parts.map(([kind, minutes]) => {
      const rect = document.createElementNS(SVG, "rect");
      const values = { x: at, y: 0, width: minutes, height: 10, "data-kind": kind };
      for (const [name, value] of Object.entries(values)) rect.setAttribute(name, value);
      at += minutes;
      return rect;
    }),
  );
  svg.setAttribute("viewBox", `0 0 ${Math.max(1, at)} 10`);
  const own = parts.filter(([kind]) => kind !== "buffer").reduce((sum, [, minutes]) => sum + minutes, 0);
  const language = document.documentElement.lang || "ja";
  const said = new Intl.NumberFormat(language, { style: "unit", unit: "minute", unitDisplay: "short" }).format(own);
  timing.querySelector(".total").textContent = said;
  timing.querySelector(".bar").setAttribute("aria-label", said);
};

if (svg) {
  timing.addEventListener("input", draw);
}
