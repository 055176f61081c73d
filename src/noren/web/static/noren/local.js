// Beside an instant in UTC, the same one by the reader's own clock.

const words = new Intl.DateTimeFormat(document.documentElement.lang, {
  month: "numeric",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
  timeZoneName: "short",
});

for (const at of document.querySelectorAll("time[data-local]")) {
  const instant = new Date(at.dateTime);
  if (!Number.isNaN(instant.getTime())) at.textContent += ` (${words.format(instant)})`;
}
