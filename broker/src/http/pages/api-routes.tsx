import { Hono } from "hono";
import { raw } from "hono/html";
import { basePathOf } from "../../base/base-path.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { ApiPage } from "./api-page.tsx";
import type { OpenApi } from "./api-reference/openapi.ts";
import type { PageContext } from "./page-context.ts";
import { BelowBasePath } from "./path-to.tsx";

/** The page of the API. Its content is the same for every reader, and rendered once. */
export function apiPages({
  context,
  sessions,
  renderPage,
  openapi,
}: Pick<PageContext<Needs<"baseUrl">>, "context" | "sessions" | "renderPage"> & {
  openapi: () => OpenApi;
}): Hono {
  const routes = new Hono();
  let rendered: { broker: string; html: string } | null = null;

  async function render(): Promise<string> {
    const broker = context().baseUrl();
    if (rendered?.broker === broker) return rendered.html;
    const page = (
      <BelowBasePath value={basePathOf(broker)}>
        <ApiPage api={openapi()} broker={broker} />
      </BelowBasePath>
    );
    rendered = { broker, html: String(await page.toString()) };
    return rendered.html;
  }

  routes.get("/api", async (c) => {
    const visit = await sessions.read(c);
    return renderPage(
      c,
      visit,
      { title: "API", description: "The API of this broker, with examples.", listed: true },
      raw(await render()),
    );
  });
  return routes;
}
