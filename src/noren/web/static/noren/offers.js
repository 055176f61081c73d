// Services are dragged by their handles into another order. Their arrows do the same without this.

const form = document.querySelector("form.sorting");
const list = form?.querySelector(".menu");
let dragged = null;

const rows = () => [...list.querySelectorAll("li[data-id]")];

const under = (y) => rows().find((row) => row !== dragged && y < row.getBoundingClientRect().top + row.offsetHeight / 2);

const send = () => {
  const field = form.querySelector("[name=order]");
  const order = rows().map((row) => row.dataset.id).join(",");
  if (order === list.dataset.order) return;
  field.disabled = false;
  field.value = order;
  form.submit();
};

const begin = (event) => {
  const row = event.target.closest(".handle")?.closest("li");
  if (!row || event.button) return;
  dragged = row;
  row.classList.add("held");
  list.setPointerCapture(event.pointerId);
  event.preventDefault();
};

const follow = (event) => {
  if (!dragged) return;
  const next = under(event.clientY);
  if (next) next.before(dragged);
  else rows().at(-1).after(dragged);
};

const end = () => {
  if (!dragged) return;
  dragged.classList.remove("held");
  dragged = null;
  send();
};

if (list) {
  list.dataset.order = rows().map((row) => row.dataset.id).join(",");
  list.classList.add("can-drag");
  list.addEventListener("pointerdown", begin);
  list.addEventListener("pointermove", follow);
  list.addEventListener("pointerup", end);
  list.addEventListener("pointercancel", end);
}
