import type { Submission } from "@crowdai/shared";
import type { SubmissionAccess } from "../../domain/rules/visibility.ts";
import { DiffView } from "./diff-view.tsx";
import { plural, shownSize } from "./format.ts";
import { webAddress } from "./media-view.tsx";
import { pathTo } from "./path-to.tsx";
import { Commands } from "./scrollable.tsx";
import { Time } from "./untrusted-text.tsx";
import type { VisibleCode } from "./visible-code.ts";

export interface CodeSectionProps {
  submission: Submission;
  access: SubmissionAccess;
  broker: string;
  /** Null when the reader may not read the code. */
  seen: VisibleCode | null;
}

const STATES = {
  awaited: "The code is being uploaded.",
  stored: null,
  missing: "The code was never received. The grade counts without it.",
};

/**
 * A submission's code: where to get it, its changes since the previous submission, and whether it is
 * published.
 */
export function CodeSection({ submission, access, broker, seen }: CodeSectionProps) {
  const { code, id } = submission;
  if (!code) return null;
  return (
    <section aria-labelledby="code">
      <h2 id="code">Code</h2>
      {STATES[code.state] ? <p>{STATES[code.state]}</p> : null}
      <p>
        Commit <code>{code.commit.slice(0, 12)}</code>, {plural(code.files, "file")}, {shownSize(code.bytes)}.{" "}
        <Published submission={submission} />
      </p>
      <p class="actions">
        {access === "own" ? <PublishLink submission={submission} /> : null}
        {seen ? (
          <a class="button" href={pathTo(`/submissions/${id}/fork`)}>
            Fork
          </a>
        ) : null}
        {seen?.place.page_url && webAddress(seen.place.page_url) ? (
          <a class="button" href={seen.place.page_url} rel="noopener nofollow">
            View on the code host
          </a>
        ) : null}
      </p>
      {seen ? (
        <Commands
          label="How to get the code"
          text={[
            `npx crowdai clone ${id} --broker ${broker}`,
            ...(seen.place.published_at ? [`git clone ${seen.place.clone_url}`] : []),
          ].join("\n")}
        />
      ) : null}
      {seen?.diff?.from ? (
        <>
          <h3>
            Changes since{" "}
            <a href={pathTo(`/submissions/${seen.diff.from}`)}>
              <code>{seen.diff.from.slice(0, 16)}</code>
            </a>
          </h3>
          <DiffView diff={seen.diff} />
        </>
      ) : null}
    </section>
  );
}

function Published({ submission: { publish, published_at } }: { submission: Submission }) {
  if (published_at)
    return (
      <>
        Published under the MIT license on <Time at={published_at} />.
      </>
    );
  return publish ? (
    <>It becomes public under the MIT license when the challenge closes.</>
  ) : (
    <>It is not published.</>
  );
}

function PublishLink({ submission: { id, publish, published_at, code } }: { submission: Submission }) {
  if (published_at || code?.state === "missing") return null;
  return publish ? (
    <a class="button" href={pathTo(`/submissions/${id}/unpublish`)}>
      Withdraw
    </a>
  ) : (
    <a class="button primary" href={pathTo(`/submissions/${id}/publish`)}>
      Publish
    </a>
  );
}
