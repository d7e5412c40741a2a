import { type Agreement, agreementSchema, CrowdaiError, type License, licenseSchema } from "@crowdai/shared";
import type { HttpClient } from "../client/http/http-client.ts";
import type { Io } from "../terminal/io.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { agreementRefused, type BrokerChoice } from "./agreement-errors.ts";

const PATH = "/api/v1/agreements/mit";

/** The person to ask, and the broker that stores the agreement. */
export interface AgreementDialog {
  io: Pick<Io, "stdin" | "stderr" | "signal">;
  terminal: Terminal;
  http: HttpClient;
  broker: BrokerChoice;
}

/** Returns the current license text and the participant's agreement to it, if any. */
export const readLicense = (http: HttpClient): Promise<License> => http.get(PATH, licenseSchema);

/**
 * Shows the license to the person at the terminal and asks for agreement. Returns the stored agreement.
 * Throws agreement_missing if the person declines, or if there is no terminal.
 */
export async function askAgreement(dialog: AgreementDialog, license: License): Promise<Agreement> {
  const { io, terminal, http, broker } = dialog;
  if (!terminal.isInteractive)
    throw agreementRefused(broker, "The MIT license must be accepted by a person at a terminal.");
  const { confirm, isCancel } = await import("@clack/prompts");
  terminal.error(license.text);
  const answer = await confirm({
    message: "Do you agree to publish the code that you choose under this license?",
    active: "I agree",
    inactive: "No",
    initialValue: false,
    input: io.stdin,
    output: io.stderr,
    signal: io.signal,
  });
  if (isCancel(answer))
    throw new CrowdaiError("interrupted", "Interrupted. You have not accepted the license.", { next: "" });
  if (!answer)
    throw new CrowdaiError("agreement_missing", "You did not accept the license. Nothing was changed.", {
      next: "You can still submit code without publishing it.",
    });
  return http.post(PATH, { digest: license.digest, where: "terminal" }, agreementSchema, {
    repeatable: true,
  });
}

/** Returns if the participant has agreed already; otherwise asks. Throws what askAgreement throws. */
export async function ensureAgreement(dialog: AgreementDialog): Promise<void> {
  const { http, terminal } = dialog;
  if (!terminal.isInteractive)
    throw agreementRefused(dialog.broker, "Publishing requires that you accept the MIT license first.");
  const license = await readLicense(http);
  if (license.agreement) return;
  await askAgreement(dialog, license);
  terminal.note("License accepted. You will not be asked again.");
}
