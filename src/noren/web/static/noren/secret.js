// What stands behind the # of a mailed link goes into the form, and a password can be looked at while it is typed.

const given = location.hash.slice(1);
for (const field of given ? document.querySelectorAll("[data-from-link]") : []) {
  field.querySelector("input").value = given;
  field.hidden = true;
}
// Where a passkey can be made as well, its own script reads the link next, and clears it.
if (given && !document.querySelector("form[data-passkey]")) {
  history.replaceState(null, "", location.pathname + location.search);
}

for (const button of document.querySelectorAll("button[data-show]")) {
  const input = document.getElementById(button.dataset.show);
  const hide = () => {
    input.type = "password";
    button.setAttribute("aria-pressed", "false");
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    if (input.type === "text") {
      hide();
    } else {
      input.type = "text";
      button.setAttribute("aria-pressed", "true");
    }
    input.focus();
  });
  // Sent as a password, so that the browser keeps it as one and nothing else remembers it.
  input.form.addEventListener("submit", hide);
}
