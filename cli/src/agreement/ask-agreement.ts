import { type Agreement, agreementSchema, CrowdaiError, type License, licenseSchema } from "@crowdai/shared";
import type { HttpClient } from "../client/http/http-client.ts";
import type { Context } from "../context.ts";
import { agreementRefused } from "./agreement-errors.ts";

const PATH = "/api/v1/agreements/mit";

export const readLicence = (http: HttpClient): Promise<License> => http.get(PATH, licenseSchema);

/**
 * Shows the text and asks the person at the terminal. The agreement that the broker keeps is returned; whoever says no, or is no
 * person at a terminal, gets agreement_missing.
 */
export async function askAgreement(context: Context, http: HttpClient, licence: License): Promise<Agreement> {
  const { terminal, stdin, stderr, signal } = context;
  if (!terminal.isInteractive)
    throw agreementRefused(
      context,
      "Only a person can agree to the MIT licence, and there is none at a terminal here.",
    );
  const { confirm, isCancel } = await import("@clack/prompts");
  terminal.error(licence.text);
  const answer = await confirm({
    message: "Do you agree, so that the code you choose is published under this licence?",
    active: "I agree",
    inactive: "No",
    initialValue: false,
    input: stdin,
    output: stderr,
    signal,
  });
  if (isCancel(answer))
    throw new CrowdaiError("interrupted", "Nothing was agreed to, and nothing was kept.", { next: "" });
  if (!answer)
    throw new CrowdaiError("agreement_missing", "You did not agree; nothing was kept.", {
      next: "Code can be submitted without being published.",
    });
  return http.post(PATH, { digest: licence.digest, where: "terminal" }, agreementSchema, {
    repeatable: true,
  });
}

/**
 * For what publishes: returns at once when the participant agreed before; else asks the person, or refuses where there is
 * none. `agreed` is what the session said.
 */
export async function ensureAgreement(context: Context, agreed: boolean): Promise<void> {
  if (agreed) return;
  if (!context.terminal.isInteractive)
    throw agreementRefused(
      context,
      "Publishing needs an agreement to the MIT licence, which was never given.",
    );
  const http = await context.http();
  const licence = await readLicence(http);
  if (licence.agreement) return;
  await askAgreement(context, http, licence);
  context.terminal.note("Your agreement is kept; you will not be asked again.");
}
