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

// A form that asks by whose clock a time is meant begins with the reader's own, where nothing was chosen.
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;

for (const clock of document.querySelectorAll("select[name=zone]")) {
  const offered = [...clock.options].some((one) => one.value === own);
  if (offered && !clock.querySelector("option[selected]")) clock.value = own;
}
