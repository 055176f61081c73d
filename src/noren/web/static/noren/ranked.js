// A list whose order counts: a line may be dragged to its place. The buttons beside it do the same.
for (const list of document.querySelectorAll(".ranked")) {
  let held = null;

  for (const line of list.children) {
    line.draggable = true;
    line.addEventListener("dragstart", (event) => {
      held = line;
      event.dataTransfer.effectAllowed = "move";
      line.classList.add("held");
    });
    line.addEventListener("dragend", () => {
      line.classList.remove("held");
      held = null;
    });
  }

  list.addEventListener("dragover", (event) => {
    const over = event.target.closest(".ranked > li");
    if (!held || !over || over === held) return;
    event.preventDefault();
    const { top, height } = over.getBoundingClientRect();
    over[event.clientY < top + height / 2 ? "before" : "after"](held);
  });

  list.addEventListener("drop", (event) => {
    if (!held) return;
    event.preventDefault();
    const form = held.querySelector("form.ranks");
    const place = document.createElement("input");
    place.type = "hidden";
    place.name = "to";
    place.value = String([...list.children].indexOf(held));
    form.append(place);
    form.submit();
  });
}
