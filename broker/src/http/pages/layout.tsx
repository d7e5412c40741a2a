import { html } from "hono/html";
import type { Child } from "hono/jsx";
import { asset } from "./assets/assets.ts";
import { pathTo } from "./path-to.tsx";
import { remembered } from "./remembered.tsx";
import type { Visit } from "./session/sessions.ts";
import { THEMES, type Theme } from "./theme.ts";
import { UntrustedText } from "./untrusted-text.tsx";

export interface Frame {
  visit: Visit;
  theme: Theme;
  /** The page's path and query. */
  here: string;
}

interface LayoutProps extends Frame {
  title: string;
  description?: string | undefined;
  /** Whether search engines may list it. */
  listed?: boolean | undefined;
  children: Child;
}

/** The frame of every page: skip link, navigation, sign-in and theme. */
export function Layout({ title, description, listed = false, children, ...frame }: LayoutProps) {
  return (
    <>
      {html`<!doctype html>`}
      <html lang="en" data-theme={frame.theme}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>{title === "crowdAI" ? title : `${title} · crowdAI`}</title>
          {description ? <meta name="description" content={description} /> : null}
          {listed ? null : <meta name="robots" content="noindex" />}
          {remembered(["assets", frame.theme], () => (
            <Assets theme={frame.theme} />
          ))}
        </head>
        <body>
          <a class="skip" href="#content">
            Skip to content
          </a>
          <Header {...frame} />
          <main id="content" tabindex={-1}>
            {children}
          </main>
          <Footer {...frame} />
          <div id="announcer" class="unseen" aria-live="polite" />
        </body>
      </html>
    </>
  );
}

function Assets({ theme }: Pick<Frame, "theme">) {
  return (
    <>
      <meta name="color-scheme" content={theme === "system" ? "light dark" : theme} />
      <link rel="icon" href={pathTo(asset("icon.svg"))} type="image/svg+xml" />
      <link rel="stylesheet" href={pathTo(asset("site.css"))} />
      {/* Before the first paint, because times in the reader's zone have other lengths. */}
      <script type="module" src={pathTo(asset("site.js"))} blocking="render" />
    </>
  );
}

function Header({ visit, here }: Frame) {
  const { caller } = visit;
  const at = (path: string) => (here.split("?")[0] === path ? "page" : undefined);
  return (
    <header class="bar">
      <nav aria-label="Main">
        <a class="brand" href={pathTo("/")} aria-current={at("/")}>
          {remembered(["brand"], () => (
            <Brand />
          ))}
        </a>
        <a class="submissions-link" href={pathTo("/submissions")} aria-current={at("/submissions")}>
          {caller?.kind === "organizer" ? "Submissions" : "My submissions"}
        </a>
      </nav>
      <div class="who">
        {caller ? (
          <>
            {caller.kind === "organizer" ? (
              <span class="name" title="organizer">
                <UntrustedText text={caller.name} most={40} />
              </span>
            ) : (
              <a class="name" title="participant" href={pathTo("/profile")} aria-current={at("/profile")}>
                <UntrustedText text={caller.name} most={40} />
              </a>
            )}
            <form method="post" action={pathTo("/sign-out")}>
              <FormToken visit={visit} />
              <button type="submit" class="quiet">
                Sign out
              </button>
            </form>
          </>
        ) : (
          <a class="button" href={pathTo(`/sign-in?next=${encodeURIComponent(here)}`)}>
            Sign in
          </a>
        )}
      </div>
    </header>
  );
}

function Footer({ theme, here }: Frame) {
  return (
    <footer class="foot">
      <p>
        <a href={pathTo("/agreement/mit")}>MIT agreement</a>
        <a href={pathTo("/api")}>API</a>
      </p>
      <form method="post" action={pathTo("/theme")} class="themes">
        <fieldset>
          <legend class="unseen">Theme</legend>
          <input type="hidden" name="next" value={here} />
          {remembered(["themes", theme], () => (
            <Themes chosen={theme} />
          ))}
        </fieldset>
      </form>
    </footer>
  );
}

function Themes({ chosen }: { chosen: Theme }) {
  return (
    <>
      {THEMES.map((one) => (
        <button type="submit" name="theme" value={one} aria-pressed={one === chosen ? "true" : "false"}>
          {one === "system" ? "System" : one === "light" ? "Light" : "Dark"}
        </button>
      ))}
    </>
  );
}

/** A hidden field that ties a form to the reader's session. */
export function FormToken({ visit }: { visit: Visit }) {
  return visit.formToken ? <input type="hidden" name="token" value={visit.formToken} /> : null;
}

function Brand() {
  return (
    <>
      <Logo />
      <span>
        crowd<b>AI</b>
      </span>
    </>
  );
}

/** Three people on the steps of a podium. */
function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect class="step second" x="2" y="17" width="8" height="13" rx="2" />
      <rect class="step first" x="12" y="12" width="8" height="18" rx="2" />
      <rect class="step third" x="22" y="21" width="8" height="9" rx="2" />
      <circle class="step second" cx="6" cy="11" r="3.2" />
      <circle class="step first" cx="16" cy="5.6" r="3.6" />
      <circle class="step third" cx="26" cy="15.4" r="3.2" />
    </svg>
  );
}
