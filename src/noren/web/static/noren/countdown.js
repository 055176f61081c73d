// How long the power runs still. The vault's clock ends it; this only says so, and then looks again.

const clocks = [...document.querySelectorAll("[data-until]")];

const two = (number) => String(number).padStart(2, "0");

const tick = () => {
  for (const clock of clocks) {
    const left = Math.floor((Date.parse(clock.dataset.until) - Date.now()) / 1000);
    clock.textContent = `${Math.max(0, Math.floor(left / 60))}:${two(Math.max(0, left % 60))}`;
    if (left < 0) return true;
  }
  setTimeout(again, 1000);
  return false;
};

const again = () => {
  if (tick()) setTimeout(() => location.reload(), 1000);
};

tick();
