// A field's text is copied by its button, where the browser can; without, it is selected by hand.

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
      button.firstChild.textContent = button.dataset.copied;
    });
  }
}
