// Goes on at once where a page has nothing else to say: follows its one link, or sends its one form.

const next = document.querySelector("[data-onward]");
if (next instanceof HTMLFormElement) next.requestSubmit();
else if (next) location.replace(next.href);
