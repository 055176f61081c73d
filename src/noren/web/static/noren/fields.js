// A tap on a field puts it where one writes; without this script it comes at the end, by way of the server.

let written = null;

document.addEventListener("focusin", (event) => {
  if (event.target.matches("#words input:not([type=hidden]), #words textarea")) written = event.target;
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-hole]");
  if (!button) return;
  const box = document.getElementById(button.dataset.into);
  const at = written === box ? [box.selectionStart, box.selectionEnd] : [box.value.length, box.value.length];
  event.preventDefault();
  box.focus();
  box.setRangeText(button.dataset.hole, ...at, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
});
