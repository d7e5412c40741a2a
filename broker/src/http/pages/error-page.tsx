import type { CrowdaiError } from "@crowdai/shared";
import { truncateText } from "./format.ts";
import { pathTo } from "./path-to.tsx";

const TITLES: Record<number, string> = {
  401: "Sign in",
  403: "Not allowed",
  404: "Page not found",
  429: "Too many requests",
};

export const errorTitle = (error: CrowdaiError): string =>
  TITLES[error.row.http] ?? (error.row.http >= 500 ? "Something went wrong" : "The request failed");

/** An error page: what happened, and what to do next. */
export function ErrorPage({ error }: { error: CrowdaiError }) {
  return (
    <div class="narrow">
      <p class="error-code">
        {error.row.http} · <code>{error.code}</code>
      </p>
      <h1>{errorTitle(error)}</h1>
      <p class="words">{truncateText(error.message, 1000)}</p>
      {/* For an unknown address, the catalog's advice is for programs. */}
      {error.code === "not_found" ? null : <p class="words">{truncateText(error.next, 500)}</p>}
      <p>
        <a href={pathTo("/")}>Go to the challenges</a>
      </p>
    </div>
  );
}
