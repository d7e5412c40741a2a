import type { CodePlace } from "@crowdai/shared";
import { FormToken } from "./layout.tsx";
import { webAddress } from "./media-view.tsx";
import { pathTo } from "./path-to.tsx";
import { Commands } from "./scrollable.tsx";
import type { Visit } from "./session/sessions.ts";

/** Asks for confirmation before code is published, or withdrawn from publication. */
export function PublishQuestion({
  id,
  verb,
  visit,
  agreed,
}: {
  id: string;
  verb: "publish" | "unpublish";
  visit: Visit;
  agreed: boolean;
}) {
  const back = `/submissions/${id}`;
  const needsAgreement = verb === "publish" && !agreed;
  return (
    <div class="narrow">
      <h1>{verb === "publish" ? "Publish this code?" : "Withdraw this code from publication?"}</h1>
      <p>
        Submission <code>{id}</code>.{" "}
        {verb === "publish"
          ? "Its code becomes public under the MIT license when the challenge closes. Until then you can withdraw it. If the challenge has closed already, the code becomes public immediately and stays public."
          : "Its code stays private. You can publish it later."}
      </p>
      {needsAgreement ? (
        <div class="panel">
          <p>Agree to the MIT license before you publish. You are asked once.</p>
          <a
            class="button primary"
            href={pathTo(`/agreement/mit?next=${encodeURIComponent(`${back}/publish`)}`)}
          >
            Read and agree
          </a>
        </div>
      ) : (
        <form method="post" action={pathTo(`${back}/${verb}`)} class="actions">
          <FormToken visit={visit} />
          <button type="submit" class="primary">
            {verb === "publish" ? "Publish" : "Withdraw"}
          </button>
          <a class="button" href={pathTo(back)}>
            Cancel
          </a>
        </form>
      )}
    </div>
  );
}

/** How to continue from a participant's code. */
export function ForkPage({ place, broker }: { place: CodePlace; broker: string }) {
  const id = place.submission;
  return (
    <div class="narrow">
      <h1>Fork this code</h1>
      <p>A fork is a clone of the participant’s repository with your own remote. Run in a terminal:</p>
      <Commands label="How to fork" text={`npx crowdai fork ${id} --broker ${broker}`} />
      {place.fork_url && webAddress(place.fork_url) ? (
        <p>
          Or fork it on its code host:{" "}
          <a class="button" href={place.fork_url} rel="noopener nofollow">
            Open the code host
          </a>
        </p>
      ) : null}
      <p>
        <a href={pathTo(`/submissions/${id}`)}>Back to the submission</a>
      </p>
    </div>
  );
}
