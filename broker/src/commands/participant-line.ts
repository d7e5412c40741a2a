import { extentOf } from "../domain/eligibility/disqualify.ts";
import type { ListedParticipant } from "../domain/participants/list-participants.ts";

/** Returns the line of a participant in a list: values separated by tabs. */
export function participantLine(listed: ListedParticipant): string {
  const { id, name, submissions, active, created_at, keys, disqualified } = listed;
  return [
    ...[id, name, submissions, active ? "active" : "revoked", dayOf(created_at)],
    keys.map(keyText).join("; "),
    ...disqualified.map(
      ({ challenge, reason, at }) =>
        `disqualified ${extentOf(challenge)} on ${dayOf(at)}: ${oneLine(reason)}`,
    ),
  ].join("\t");
}

function keyText({ label, member, created_at, last_used_at }: ListedParticipant["keys"][number]): string {
  const owner = member === null || member === label ? "" : ` of ${member}`;
  const used = last_used_at === null ? "not used yet" : `used ${dayOf(last_used_at)}`;
  return `${label ?? "key"}${owner} (added ${dayOf(created_at)}, ${used})`;
}

const dayOf = (time: string) => time.slice(0, 10);
const oneLine = (text: string) => text.replace(/\s+/g, " ");
