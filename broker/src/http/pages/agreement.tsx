import { FormToken } from "./layout.tsx";
import { pathTo } from "./path-to.tsx";
import { Scroll } from "./scrollable.tsx";
import type { Visit } from "./session/sessions.ts";
import { Time, UntrustedText } from "./untrusted-text.tsx";

/** The license for published code, and the form to agree to it. */
export function AgreementPage({
  license,
  agreedAt,
  visit,
  next,
  forgotten = false,
}: {
  license: { text: string; digest: string };
  agreedAt: string | null;
  visit: Visit;
  next: string;
  /** Whether the form was sent without its checkbox. */
  forgotten?: boolean;
}) {
  const { caller } = visit;
  return (
    <div class="narrow">
      <h1>Publish under the MIT License</h1>
      <p>
        Code that you publish, with a submission or later, is published under this license. You agree to it
        once.
      </p>
      <Scroll label="License text">
        <pre class="license">{license.text}</pre>
      </Scroll>
      <p class="note">
        SHA-256 of this text: <code class="digest">{license.digest}</code>
      </p>
      {agreedAt ? (
        <p class="panel agreed" role="status">
          You agreed to this text on <Time at={agreedAt} />.{" "}
          {next === "/" ? null : (
            <a class="button primary" href={pathTo(next)}>
              Continue
            </a>
          )}
        </p>
      ) : caller?.kind === "participant" ? (
        <form method="post" action={pathTo("/agreement/mit")} class="panel">
          <FormToken visit={visit} />
          <input type="hidden" name="digest" value={license.digest} />
          <input type="hidden" name="next" value={next} />
          <p>
            You are signed in as{" "}
            <strong>
              <UntrustedText text={caller.name} most={100} />
            </strong>
            .
          </p>
          <label class="check">
            <input
              type="checkbox"
              name="agree"
              value="yes"
              required
              aria-invalid={forgotten ? "true" : undefined}
              aria-describedby={forgotten ? "forgotten" : undefined}
            />{" "}
            I publish my code under the MIT License above, and I have the right to do so.
          </label>
          {forgotten ? (
            <p id="forgotten" class="problem" role="alert">
              Select the checkbox to agree.
            </p>
          ) : null}
          <p class="note">
            We store the time, your IP address, your browser’s user agent and the digest of the text.
          </p>
          <button type="submit" class="primary">
            Agree
          </button>
        </form>
      ) : caller ? (
        <p class="panel">You are signed in as an organizer. Only participants publish code.</p>
      ) : (
        <p class="panel">
          <a class="button primary" href={pathTo(`/sign-in?next=${encodeURIComponent("/agreement/mit")}`)}>
            Sign in to agree
          </a>
        </p>
      )}
    </div>
  );
}
