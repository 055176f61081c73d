// A challenge in a form: the worker solves it, the form waits for that and goes on. Without scripts there is the
// other way, to wait and send it, which the form carries already.

const part = document.querySelector("[data-challenge]");
const form = part.closest("form");
const proof = part.querySelector("input[name=proof]");
const words = part.querySelector("[data-challenge-words]");
const bar = part.querySelector("progress");

let solved = false;
let wanted = null;

const worker = new Worker(part.dataset.worker);
words.textContent = part.dataset.working;
bar.hidden = false;

worker.addEventListener("message", ({ data }) => {
  if (data.answer === undefined) {
    // How likely it is to have been found by now: it never stands still, and never says "done" too early.
    bar.value = data.likely * 100;
    return;
  }
  solved = true;
  proof.value = data.answer;
  bar.value = 100;
  words.textContent = wanted === null ? part.dataset.solved : part.dataset.sending;
  worker.terminate();
  if (wanted !== null) form.requestSubmit(wanted);
});

form.addEventListener("submit", (event) => {
  if (solved) return;
  event.preventDefault();
  wanted = event.submitter ?? undefined;
});

worker.postMessage({ challenge: part.dataset.challenge, bits: Number(part.dataset.bits) });
