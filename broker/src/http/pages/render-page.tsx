import { createHash } from "node:crypto";
import type { CrowdaiError } from "@crowdai/shared";
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import { HtmlEscapedCallbackPhase, resolveCallback } from "hono/utils/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ErrorPage, errorTitle } from "./error-page.tsx";
import { type Frame, Layout } from "./layout.tsx";
import { BelowBasePath } from "./path-to.tsx";
import { createPartMemory, WithParts } from "./remembered.tsx";
import type { Sessions, Visit } from "./session/sessions.ts";
import { SignIn } from "./sign-in.tsx";
import { readTheme } from "./theme.ts";

interface Titled {
  title: string;
  description?: string;
  listed?: boolean;
  status?: ContentfulStatusCode;
}

export type Renderer = ReturnType<typeof createRenderer>;

/** Renders what the pages answer, for readers who reach the broker below a base path. */
export function createRenderer(basePath: () => string) {
  const parts = createPartMemory();

  async function answer(c: Context, page: Child, status: ContentfulStatusCode = 200): Promise<Response> {
    const whole = (
      <BelowBasePath value={basePath()}>
        <WithParts value={parts}>{page}</WithParts>
      </BelowBasePath>
    );
    const html = String(
      await resolveCallback(whole.toString(), HtmlEscapedCallbackPhase.Stringify, false, {}),
    );
    // Encoded once, to be hashed and written.
    const bytes = Buffer.from(html);
    // The middleware for entity tags would read the body of the answer again, and come to the same.
    if (c.req.method === "GET" && status === 200)
      c.header("etag", `"${createHash("sha1").update(bytes).digest("hex")}"`);
    return c.body(bytes, status, { "content-type": "text/html; charset=UTF-8" });
  }

  return {
    /** Responds with a page around `content`, for a visit that was read already. */
    renderPage(
      c: Context,
      visit: Visit,
      { status = 200, ...titled }: Titled,
      content: Child,
    ): Promise<Response> {
      const frame: Frame = { visit, theme: readTheme(c), here: hereOf(c) };
      return answer(
        c,
        <Layout {...titled} {...frame}>
          {content}
        </Layout>,
        status,
      );
    },

    /** Responds with a part of a page, for the script that keeps it live. */
    renderPart: (c: Context, content: Child): Promise<Response> => answer(c, content),
  };
}

/** Responds with an error page, or with the sign-in form when signing in would help. */
export async function showError(
  c: Context,
  error: CrowdaiError,
  { sessions, renderPage }: { sessions: Sessions } & Pick<Renderer, "renderPage">,
): Promise<Response> {
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
      <SignIn next={next} why="Sign in to see this page." />,
    );
  }
  return renderPage(c, visit, { title: errorTitle(error), status }, <ErrorPage error={error} />);
}

function hereOf(c: Context): string {
  // The answer to a form has no address to return to.
  if (c.req.method !== "GET") return "/";
  const { pathname, search } = new URL(c.req.url);
  return (pathname + search).slice(0, 500);
}
