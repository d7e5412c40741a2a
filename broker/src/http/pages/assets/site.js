// What a page does with a script: parts of it follow what happens, commands are copied, the theme changes at once. Without it the
// page says the same.

const announcer = document.getElementById("announcer");
let said = "";

/** Says a sentence to who listens to the page; never the same one twice in a row. */
function announce(sentence) {
  if (!sentence || sentence === said || !announcer) return;
  said = sentence;
  announcer.textContent = sentence;
  setTimeout(() => {
    said = "";
    announcer.textContent = "";
  }, 15_000);
}

/** Where the keyboard is inside a part that is about to be replaced, and how it is found in the new one. */
function focusedIn(part) {
  const focused = document.activeElement;
  if (!focused || !part.contains(focused) || focused === part) return null;
  const href = focused.getAttribute("href");
  if (href) {
    // The reader's own row may lead elsewhere now, and stand elsewhere.
    const scope = focused.closest("tr.mine") ? "tr.mine a" : "a";
    const index = [...part.querySelectorAll(scope)].indexOf(focused);
    return (fresh) =>
      [...fresh.querySelectorAll("a")].find((link) => link.getAttribute("href") === href) ??
      fresh.querySelectorAll(scope)[index];
  }
  const label = focused.getAttribute("aria-label");
  return (fresh) => (label ? fresh.querySelector(`[aria-label="${CSS.escape(label)}"]`) : null);
}

/** Keeps one part of the page as the broker has it: at each word from its stream the part is fetched again. */
function follow(id) {
  let stream = null;
  let fetching = false;
  let again = false;

  const part = () => document.getElementById(id);

  async function refresh() {
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    try {
      const response = await fetch(part().dataset.source, { headers: { accept: "text/html" } });
      if (response.ok) swap(await response.text());
    } catch {
      // The stream will say so again, or the page is being left.
    }
    fetching = false;
    if (again) {
      again = false;
      refresh();
    }
  }

  function swap(text) {
    const old = part();
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById(id);
    if (!fresh || fresh.isEqualNode(old)) return;
    const find = focusedIn(old);
    const scrolled = [...old.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
    old.replaceWith(fresh);
    for (const [index, box] of [...fresh.querySelectorAll(".scroll")].entries())
      if (scrolled[index]) [box.scrollLeft, box.scrollTop] = scrolled[index];
    find?.(fresh)?.focus({ preventScroll: true });
    announce(fresh.dataset.said);
    if (!fresh.dataset.live) close();
  }

  function open() {
    const address = part()?.dataset.live;
    if (!address || stream) return;
    stream = new EventSource(address);
    for (const name of ["leaderboard", "change"]) stream.addEventListener(name, refresh);
    stream.addEventListener("end", () => {
      close();
      refresh();
    });
  }

  function close() {
    stream?.close();
    stream = null;
  }

  // A page that nobody looks at holds no connection; browsers have only six to a broker.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") return close();
    if (part()?.dataset.live) refresh();
    open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    refresh();
    open();
  });
  open();
}

for (const part of document.querySelectorAll("[data-live]")) follow(part.id);

for (const commands of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(commands.querySelector("code").textContent);
    button.textContent = "Copied";
    announce("Copied.");
    setTimeout(() => {
      button.textContent = "Copy";
    }, 2000);
  });
  commands.append(button);
}

for (const form of document.querySelectorAll("form.themes"))
  form.addEventListener("submit", async (event) => {
    const { submitter } = event;
    if (!submitter) return;
    event.preventDefault();
    document.documentElement.dataset.theme = submitter.value;
    for (const button of form.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button === submitter));
    dispatchEvent(new Event("theme"));
    const body = new URLSearchParams({ theme: submitter.value, next: "/robots.txt" });
    await fetch(form.action, { method: "POST", body }).catch(() => {});
  });

for (const select of document.querySelectorAll(".filter select"))
  select.addEventListener("change", () => select.form.requestSubmit());
