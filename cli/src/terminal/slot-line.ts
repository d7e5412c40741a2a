import type { Limits } from "@crowdai/shared";
import { slotsText } from "./slots-text.ts";

const SENTENCES: Partial<Record<string, string>> = {
  none: "No slot was charged.",
  returned: "Your slot was returned.",
  charged: "The slot was charged.",
};
/** Sentences of the catalog and of older messages with the same meaning. */
const SAID = /(?:Your|The) slot was (?:returned|charged)\.\s*|[Nn]o slot was charged\.?|uses no slot/;

/**
 * Returns whether a refusal cost a slot, and what is left; null for an error that says neither, or said it
 * already.
 */
export function slotLine(details: Record<string, unknown> | undefined, message: string): string | null {
  const { slot, limits, sent } = details ?? {};
  const sentence = typeof slot === "string" ? SENTENCES[slot] : undefined;
  if (!sentence) return null;
  const said = SAID.test(message)
    ? []
    : [sent === false ? "Nothing was sent, and no slot was charged." : sentence];
  const left = limits as Limits | null | undefined;
  if (left?.limit) said.push(`Submissions left: ${slotsText(left)}.`);
  return said.length === 0 ? null : said.join(" ");
}

/** Returns the next step without the sentence that `slotLine` has said. */
export function withoutSlot(next: string): string {
  return next.replace(SAID, "");
}
