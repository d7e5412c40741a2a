import { CrowdaiError } from "@crowdai/shared";
import type { Context } from "../context.ts";

/** The command by which a person agrees, for the broker in use. */
export function agreeCommand({ settings }: Context): string {
  return settings.sources.broker === "--broker"
    ? `crowdai agree --broker ${settings.broker}`
    : "crowdai agree";
}

/** Says that a person has to agree, where and how; for programs as `action_required`. */
export function agreementRefused(context: Context, message: string): CrowdaiError {
  return agreementRequired(context.settings.broker, message, agreeCommand(context));
}

/** The same for a program that uses the library. */
export function agreementRequired(
  broker: string | URL,
  message?: string,
  command: string = "crowdai agree",
): CrowdaiError {
  const url = `${String(broker).replace(/\/+$/, "")}/agreement/mit`;
  return new CrowdaiError("agreement_missing", message, {
    next: `Programs do not agree to a licence; fetch the person whose key this is, who opens ${url} or runs \`${command}\` in a terminal.`,
    details: { action_required: "agree", url, command },
  });
}
