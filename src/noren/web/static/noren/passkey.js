// Sign-in, joining, adding and confirming by passkey. The page says where to ask; the vault decides; this only carries bytes.

const text = (name) => form.dataset[name];
const form = document.querySelector("form[data-passkey]");
const say = document.querySelector("[data-passkey-words]");
const buttons = form.querySelectorAll("button");
const able = (can) => buttons.forEach((each) => (each.disabled = !can));

const bytes = (value) =>
  Uint8Array.from(atob(value.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const letters = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const withBytes = (options) => {
  const credential = (each) => ({ ...each, id: bytes(each.id) });
  return {
    ...options,
    challenge: bytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: bytes(options.user.id) } }),
    ...(options.allowCredentials && { allowCredentials: options.allowCredentials.map(credential) }),
    ...(options.excludeCredentials && { excludeCredentials: options.excludeCredentials.map(credential) }),
  };
};

const asJson = (made) => {
  const given = made.response;
  const response = { clientDataJSON: letters(given.clientDataJSON) };
  if (given.attestationObject) {
    response.attestationObject = letters(given.attestationObject);
    response.transports = given.getTransports ? given.getTransports() : [];
  } else {
    response.authenticatorData = letters(given.authenticatorData);
    response.signature = letters(given.signature);
    response.userHandle = given.userHandle ? letters(given.userHandle) : null;
  }
  return {
    id: made.id,
    rawId: letters(made.rawId),
    type: made.type,
    authenticatorAttachment: made.authenticatorAttachment ?? null,
    clientExtensionResults: made.getClientExtensionResults(),
    response,
  };
};

const post = async (address, body) => {
  const answer = await fetch(address, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json",
      "X-CSRFToken": form.elements.csrfmiddlewaretoken.value,
    },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.message);
  return told;
};

const tell = (words, wrong) => {
  say.textContent = words;
  say.closest(".notice").hidden = false;
  say.closest(".notice").classList.toggle("wrong", wrong);
};

// The invitation stands behind the #, so it never reaches a log; it leaves the address bar as soon as it is read.
// A page that refused a password has it in that form.
const invite = location.hash.slice(1) || (document.querySelector("input[name=invite]:not([data-invite])")?.value ?? "");
for (const each of document.querySelectorAll("input[data-invite]")) each.value = invite;
if (location.hash) history.replaceState(null, "", location.pathname + location.search);

// What else the page wants to be told with both steps: it is shown on the page, and kept nowhere.
const also = Object.fromEntries([...form.querySelectorAll("[data-also]")].map((each) => [each.name, each.value]));
// What is to be confirmed goes with both steps: the passkey's answer is for these very fields.
const fields = () => ("fields" in form.dataset ? { fields: Object.fromEntries(new FormData(form)) } : {});

const joining = text("passkey") === "join";
const sent = () => (joining ? { invite } : { ...also, ...fields() });
// A sign-in that waits in the mail field's list of passkeys, until the button asks for one outright.
let waiting = null;

const ask = async (begin, more) => {
  const publicKey = withBytes((await post(begin, sent())).options);
  const making = text("passkey") === "add" || (joining && begin === text("begin"));
  return making
    ? await navigator.credentials.create({ publicKey })
    : await navigator.credentials.get({ publicKey, ...more });
};

const done = async (finish, made) => {
  const { next } = await post(finish + location.search, { answer: asJson(made), ...sent() });
  location.assign(next);
};

// A second button has addresses of its own: an invitation taken with a passkey that is there.
const go = async (pressed) => {
  const { begin, finish } = { ...form.dataset, ...pressed?.dataset };
  able(false);
  waiting?.abort();
  tell(text("wait"), false);
  try {
    await done(finish, await ask(begin, {}));
  } catch (error) {
    const ended = error instanceof DOMException;
    tell(ended ? text("ended") : error.message || text("failed"), true);
    able(true);
  }
};

const wait = async () => {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  waiting = new AbortController();
  let made = null;
  try {
    made = await ask(text("begin"), { mediation: "conditional", signal: waiting.signal });
  } catch {
    return; // nobody chose one: the button and the other ways are there
  }
  try {
    await done(text("finish"), made);
  } catch (error) {
    tell(error.message || text("failed"), true);
  }
};

if (!window.PublicKeyCredential) {
  tell(text("unable"), true);
} else if (joining && !invite) {
  tell(text("empty"), true);
} else {
  able(true);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(event.submitter);
  });
  if ("waits" in form.dataset) wait();
}
