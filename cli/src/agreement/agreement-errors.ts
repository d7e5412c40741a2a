import { CrowdaiError } from "@crowdai/shared";
import type { Settings } from "../config/settings.ts";

/** The broker in use, and how it was chosen. */
export type BrokerChoice = Pick<Settings, "broker" | "sources">;

/** Returns the command that accepts the license, for the broker in use. */
export function agreeCommand({ broker, sources }: BrokerChoice): string {
  return sources.broker === "--broker" ? `crowdai agree --broker ${broker}` : "crowdai agree";
}

/** Returns agreement_missing with advice for a person, and for programs as `action_required`. */
export function agreementRefused(choice: BrokerChoice, message: string): CrowdaiError {
  return agreementRequired(choice.broker, message, agreeCommand(choice));
}

/** Returns agreement_missing for a program that uses the library. */
export function agreementRequired(
  broker: string | URL,
  message?: string,
  command: string = "crowdai agree",
): CrowdaiError {
  const url = `${String(broker).replace(/\/+$/, "")}/agreement/mit`;
  return new CrowdaiError("agreement_missing", message, {
    next: `The license must be accepted by a person: open ${url} or run \`${command}\` in a terminal.`,
    details: { action_required: "agree", url, command },
  });
}
