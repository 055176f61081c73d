// <script src="ORIGIN/SHOP/embed.js" async></script>: the shop's booking pages where the tag stands.
// data-lang="en" (or "ja", "ja-easy") names a language, data-service="12" one service.
(() => {
  const tag = document.currentScript;
  const home = new URL(tag.src);
  const ja = (tag.dataset.lang || document.documentElement.lang || "ja").startsWith("ja");
  const first = /^[0-9]+$/.test(tag.dataset.service || "") ? `embed/book/${tag.dataset.service}/` : "embed/";
  const address = new URL(first, home);
  address.search = `?lang=${tag.dataset.lang === "ja-easy" ? "ja-easy" : ja ? "ja" : "en"}`;

  const frame = document.createElement("iframe");
  frame.src = address.href;
  frame.title = ja ? "ご予約" : "Booking";
  Object.assign(frame.style, { display: "block", width: "100%", height: "640px", border: "0" });
  tag.after(frame);

  let answered = false;
  let pages = 0;
  frame.addEventListener("load", () => {
    pages += 1;
    frame.contentWindow.postMessage({ noren: "hello" }, home.origin);
    if (pages > 1 && frame.getBoundingClientRect().top < 0) frame.scrollIntoView();
  });
  addEventListener("message", (event) => {
    if (event.origin !== home.origin || event.source !== frame.contentWindow) return;
    if (event.data?.noren !== "height" || !(event.data.height > 0 && event.data.height < 50000)) return;
    answered = true;
    frame.style.height = `${event.data.height}px`;
  });
  // A site the shop has not named, or no network: the way there is a link.
  setTimeout(() => {
    if (answered) return;
    const link = document.createElement("a");
    link.href = new URL("./", home).href;
    link.textContent = ja ? "ご予約はこちら" : "Book here";
    frame.replaceWith(link);
  }, 8000);
})();
