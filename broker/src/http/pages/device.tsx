import type { DeviceLogin } from "../../domain/participants/device-logins.ts";
import { FormToken } from "./layout.tsx";
import { pathTo } from "./path-to.tsx";
import type { Visit } from "./session/sessions.ts";
import { Time, UntrustedText } from "./untrusted-text.tsx";

/** The form that confirms the sign-in of a command line. */
export function DevicePage({
  visit,
  login,
  problem,
}: {
  visit: Visit;
  /** Null before its code is entered. */
  login: DeviceLogin | null;
  problem: string | null;
}) {
  return (
    <div class="narrow">
      <h1>Confirm a sign-in</h1>
      {login ? (
        <form method="post" action={pathTo("/device")} class="panel">
          <FormToken visit={visit} />
          <input type="hidden" name="code" value={login.user_code} />
          <p>
            Code <strong>{login.user_code}</strong>, requested <Time at={login.created_at} /> from{" "}
            <UntrustedText text={login.ip} /> by <UntrustedText text={login.client} />.
          </p>
          <p>
            Confirm it only if you started it yourself and your terminal shows this code. The command line
            gets an API key of your own, <UntrustedText text={visit.caller?.name ?? ""} most={100} />.
          </p>
          <button type="submit" class="primary" name="answer" value="confirm">
            Confirm
          </button>{" "}
          <button type="submit" name="answer" value="refuse">
            Refuse
          </button>
        </form>
      ) : (
        <form method="get" action={pathTo("/device")} class="panel">
          <label for="code">Code</label>
          <input
            id="code"
            type="text"
            name="code"
            required
            maxlength={20}
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            aria-describedby={problem ? "problem" : undefined}
            aria-invalid={problem ? "true" : undefined}
          />
          {problem ? (
            <p id="problem" class="problem" role="alert">
              {problem}
            </p>
          ) : null}
          <p class="note">The code that your terminal shows, such as BCDF-GHJK.</p>
          <button type="submit" class="primary">
            Continue
          </button>
        </form>
      )}
    </div>
  );
}

export function DeviceAnswered({ isConfirmed }: { isConfirmed: boolean }) {
  return (
    <div class="narrow">
      <h1>Confirm a sign-in</h1>
      <p class="panel" role="status">
        {isConfirmed
          ? "Confirmed. You can return to your terminal."
          : "Refused. The command line gets no key."}
      </p>
    </div>
  );
}
