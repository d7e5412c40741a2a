import type { CrowdaiError } from "@crowdai/shared";
import { truncateText } from "./format.ts";

const TITLES: Record<number, string> = {
  401: "Please sign in",
  403: "Not allowed",
  404: "Not found",
  429: "Please wait",
};

export const errorTitle = (error: CrowdaiError): string =>
  TITLES[error.row.http] ?? (error.row.http >= 500 ? "Something went wrong" : "That did not work");

/** An error for people: what happened, and what to do next. */
export function ErrorPage({ error }: { error: CrowdaiError }) {
  return (
    <div class="narrow">
      <p class="error-code">
        {error.row.http} · <code>{error.code}</code>
      </p>
      <h1>{errorTitle(error)}</h1>
      <p class="words">{truncateText(error.message, 1000)}</p>
      {/* Of an address that there is not, programs are told where the addresses are listed. */}
      {error.code === "not_found" ? null : <p class="words">{truncateText(error.next, 500)}</p>}
      <p>
        <a href="/">See the challenges</a>
      </p>
    </div>
  );
}
