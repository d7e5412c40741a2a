// Keeps parts of a page live, copies commands, and changes the theme without a reload. Pages are complete without it.

const announcer = document.getElementById("announcer");
let announced = "";

/** Announces a sentence to screen readers; never the same one twice in a row. */
function announce(sentence) {
  if (!sentence || sentence === announced || !announcer) return;
  announced = sentence;
  announcer.textContent = sentence;
  setTimeout(() => {
    announced = "";
    announcer.textContent = "";
  }, 15_000);
}

const day = { day: "numeric", month: "short", year: "numeric" };
const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const inEnglish = (options) => new Intl.DateTimeFormat("en-GB", options);
const local = { day: inEnglish(day), clock: inEnglish(clock) };
const utc = { day: inEnglish({ ...day, timeZone: "UTC" }), clock: inEnglish({ ...clock, timeZone: "UTC" }) };
const zones = ["en-US", "en-GB"].map(
  (locale) => new Intl.DateTimeFormat(locale, { hour: "numeric", timeZoneName: "short" }),
);

/** Returns the name of the reader's zone at that time, such as "CET"; its difference to UTC where it has no name. */
function zoneAt(at) {
  const names = zones.map(
    (zone) => zone.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? "",
  );
  return names.find((name) => !/^(GMT|UTC)/.test(name)) ?? names[0];
}

/** Writes the times of a part in the reader's zone; UTC stays beside them or in the tooltip. */
function localize(part) {
  for (const time of part.querySelectorAll("time[datetime]:not([data-countdown])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime()) || at.getTimezoneOffset() === 0) continue;
    const { form } = time.dataset;
    const [here, there] = [local, utc].map(({ day }) => day.format(at));
    const thisYear = ` ${new Date().getFullYear()}`;
    const shown = `${form === "short" && here.endsWith(thisYear) ? here.slice(0, -5) : here}, ${local.clock.format(at)}`;
    const beside = `${here === there ? "" : `${there.slice(0, -5)}, `}${utc.clock.format(at)} UTC`;
    time.title = `${there}, ${utc.clock.format(at)} UTC`;
    time.textContent =
      form === "short"
        ? shown
        : form === "beside"
          ? `${shown} ${zoneAt(at)} (${beside})`
          : `${shown} ${zoneAt(at)}`;
  }
}
localize(document);

/** Counts on what the broker wrote, in the same form, and in seconds during the last hour. */
for (const time of document.querySelectorAll("time[data-countdown]")) {
  const end = Date.parse(time.dateTime);
  const count = () => {
    const seconds = Math.max(0, Math.floor((end - Date.now()) / 1000));
    const units = [
      [Math.floor(seconds / 86_400), "day"],
      [Math.floor(seconds / 3600) % 24, "hour"],
      [Math.floor(seconds / 60) % 60, "minute"],
      [seconds % 60, "second"],
    ];
    const first = units.findIndex(([n]) => n > 0);
    const shown = first < 0 ? [units[3]] : units.slice(first, first + 2).filter(([n]) => n > 0);
    const text = shown.map(([n, unit]) => `${n} ${unit}${n === 1 ? "" : "s"}`).join(" ");
    if (time.textContent !== text) time.textContent = text;
    if (seconds > 0) setTimeout(count, 1000);
  };
  count();
}

/** Returns how to find, in the new part, the focused element of the part that is about to be replaced. */
function focusedIn(part) {
  const focused = document.activeElement;
  if (!focused || !part.contains(focused) || focused === part) return null;
  const href = focused.getAttribute("href");
  if (href) {
    // The link and the position of the reader's own row may have changed.
    const scope = focused.closest("tr.mine") ? "tr.mine a" : "a";
    const index = [...part.querySelectorAll(scope)].indexOf(focused);
    return (fresh) =>
      // The same link may also be in a column that is too wide for this window.
      [...fresh.querySelectorAll("a")].find(
        (link) => link.getAttribute("href") === href && link.checkVisibility(),
      ) ?? fresh.querySelectorAll(scope)[index];
  }
  const label = focused.getAttribute("aria-label");
  return (fresh) => (label ? fresh.querySelector(`[aria-label="${CSS.escape(label)}"]`) : null);
}

/** Keeps one part of the page live: fetches it again at each event of its stream. */
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
      // The next event fetches it again, or the page is being closed.
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
    if (!fresh) return;
    localize(fresh);
    if (fresh.isEqualNode(old)) return;
    const find = focusedIn(old);
    const scrolled = [...old.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
    // Text that the reader is typing stays.
    const field = old.querySelector("input[type=search]");
    const isTyping = field !== null && field === document.activeElement;
    if (field) fresh.querySelector("input[type=search]")?.replaceWith(field);
    old.replaceWith(fresh);
    if (isTyping) field.focus({ preventScroll: true });
    for (const [index, box] of [...fresh.querySelectorAll(".scroll")].entries())
      if (scrolled[index]) [box.scrollLeft, box.scrollTop] = scrolled[index];
    find?.(fresh)?.focus({ preventScroll: true });
    announce(fresh.dataset.announcement);
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

  // A hidden page closes its connection; browsers allow only six to a broker.
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
    await navigator.clipboard.writeText(commands.querySelector("code").textContent.trimEnd());
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
