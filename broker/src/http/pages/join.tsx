import type { CrowdaiError } from "@crowdai/shared";
import type { Joined } from "../../domain/participants/join-links.ts";
import { FormToken } from "./layout.tsx";
import { pathTo } from "./path-to.tsx";
import { Commands, Scroll } from "./scrollable.tsx";
import type { Visit } from "./session/sessions.ts";
import { UntrustedText } from "./untrusted-text.tsx";

/** A challenge that a link invites to; its title is the id where this broker does not serve it. */
export interface InvitedTo {
  id: string;
  title: string;
}

/** The form on which a person joins by a link: with a name, or as the participant who is signed in. */
export function JoinPage({
  visit,
  path,
  challenges,
  name,
  failed,
}: {
  visit: Visit;
  /** The path of the link, which the form is sent to. */
  path: string;
  challenges: readonly InvitedTo[];
  /** The name that was entered before. */
  name?: string;
  failed?: CrowdaiError;
}) {
  const signedIn = visit.caller?.kind === "participant" ? visit.caller.name : null;
  return (
    <div class="narrow">
      <h1>Join</h1>
      <p>
        This link invites you to <Titles challenges={challenges} />.
      </p>
      <form method="post" action={pathTo(path)} class="panel">
        {signedIn === null ? (
          <>
            <label for="name">Your name</label>
            <input
              id="name"
              type="text"
              name="name"
              required
              minlength={2}
              maxlength={100}
              value={name ?? ""}
              autocomplete="nickname"
              aria-describedby={failed ? "failed hint" : "hint"}
              aria-invalid={failed ? "true" : undefined}
            />
            {failed ? (
              <p id="failed" class="problem" role="alert">
                {failed.message} {failed.next}
              </p>
            ) : null}
            <p id="hint" class="note">
              The name on the leaderboard, which others see. You get an API key to submit with. If you have
              one already, <a href={pathTo(`/sign-in?next=${encodeURIComponent("/")}`)}>sign in</a> and open
              the link again.
            </p>
            <button type="submit" class="primary">
              Join
            </button>
          </>
        ) : (
          <>
            <FormToken visit={visit} />
            <p>
              You are signed in as <UntrustedText text={signedIn} most={100} />.
            </p>
            <button type="submit" class="primary">
              Join as <UntrustedText text={signedIn} most={60} />
            </button>
          </>
        )}
      </form>
    </div>
  );
}

/** Shows a new participant the key, once, and what to do with it. */
export function JoinedPage({
  joined: { participant, key },
  challenges,
  broker,
}: {
  joined: Joined;
  challenges: readonly InvitedTo[];
  broker: string;
}) {
  return (
    <div class="narrow">
      <h1>
        Welcome, <UntrustedText text={participant.name} most={100} />
      </h1>
      <p role="status">
        You take part in <Titles challenges={challenges} />.
      </p>
      {key === null ? null : (
        <section aria-labelledby="key">
          <h2 id="key">Your API key</h2>
          <div class="commands" data-copy>
            <Scroll label="Your API key">
              <pre>
                <code>
                  <span class="line key">{key}</span>
                </code>
              </pre>
            </Scroll>
          </div>
          <p class="note">
            Copy it now: it is shown only this once. Keep it private: with it, anyone can submit as you.
          </p>
          <h2>Next</h2>
          <p>Sign in at a terminal and paste the key there:</p>
          <Commands
            label="Next commands"
            text={[
              `npx crowdai login --broker ${broker}`,
              ...challenges.map(({ id }) => `npx crowdai challenge ${id} --broker ${broker}`),
            ].join("\n")}
          />
          <p>In this browser you are signed in already.</p>
        </section>
      )}
    </div>
  );
}

function Titles({ challenges }: { challenges: readonly InvitedTo[] }) {
  return (
    <>
      {challenges.map(({ id, title }, index) => (
        <>
          {index > 0 ? ", " : null}
          <a href={pathTo(`/challenges/${id}`)}>
            <UntrustedText text={title} most={100} />
          </a>
        </>
      ))}
    </>
  );
}
