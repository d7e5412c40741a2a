import type { CrowdaiError } from "@crowdai/shared";
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ErrorPage, errorTitle } from "./error-page.tsx";
import { type Frame, Layout } from "./layout.tsx";
import type { Sessions, Visit } from "./session/sessions.ts";
import { SignIn } from "./sign-in.tsx";
import { readTheme } from "./theme.ts";

interface Titled {
  title: string;
  description?: string;
  chart?: boolean;
  listed?: boolean;
  status?: ContentfulStatusCode;
}

/** Answers with a page around `content`, for the visit that was read already. */
export function renderPage(
  c: Context,
  visit: Visit,
  { status = 200, ...titled }: Titled,
  content: Child,
): Response | Promise<Response> {
  const frame: Frame = { visit, theme: readTheme(c), here: hereOf(c) };
  return c.html(
    <Layout {...titled} {...frame}>
      {content}
    </Layout>,
    status,
  );
}
export type RenderPage = typeof renderPage;

/** An error as a page. Where signing in would help, the page offers it. */
export async function showError(c: Context, error: CrowdaiError, sessions: Sessions): Promise<Response> {
  const visit = await sessions.read(c).catch((): Visit => ({ caller: null, formToken: "" }));
  const status = error.row.http as ContentfulStatusCode;
  if (error.details?.seconds) c.header("retry-after", String(error.details.seconds));
  if (status === 401) {
    c.header("WWW-Authenticate", 'Bearer realm="crowdai"');
    const next = c.req.method === "GET" ? hereOf(c) : "/";
    return renderPage(
      c,
      visit,
      { title: errorTitle(error), status },
      <SignIn next={next} why="This page is for who is signed in." />,
    );
  }
  return renderPage(c, visit, { title: errorTitle(error), status }, <ErrorPage error={error} />);
}

function hereOf(c: Context): string {
  // Of a form's answer there is no address to come back to.
  if (c.req.method !== "GET") return "/";
  const { pathname, search } = new URL(c.req.url);
  return (pathname + search).slice(0, 500);
}
