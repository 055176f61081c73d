// Recovery codes: copied or printed, where the browser can.

const codes = [...document.querySelectorAll("[data-codes] code")].map((each) => each.textContent).join("\n");
const copy = document.querySelector("[data-copy]");
const print = document.querySelector("[data-print]");

if (navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(codes);
    copy.textContent = copy.dataset.copied;
  });
}
print.hidden = false;
print.addEventListener("click", () => window.print());
