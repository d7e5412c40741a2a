import { asCrowdaiError, CrowdaiError } from "@crowdai/shared";
import { createPacketReader, FLUSH, packetLine, sideBand } from "../../../background/git/pkt-line.ts";
import type { Caller } from "../../../domain/participants/api-keys.ts";
import type { Needs } from "../../../domain/submissions/services.ts";
import { readCode } from "../../../domain/submissions/submission-code.ts";
import type { SubmissionCodeRow } from "../../../records/tables.ts";
import { type PushRequest, readCommands, requireSnapshotPush } from "./push-commands.ts";
import { drain } from "./spool.ts";
import { type StorePushNeeds, storePush } from "./store-push.ts";

/**
 * Takes a push and answers it as git's protocol has it. There is no receive-pack and no hook: the commands are read here, nothing but
 * the announced commit of a submission of the caller's own is taken, and every refusal is one clear message.
 */
export async function receivePush(
  code: StorePushNeeds,
  caller: Caller,
  challenge: string,
  body: AsyncIterable<Uint8Array>,
): Promise<Buffer> {
  const reader = createPacketReader(body);
  const request = await readCommands(reader);
  // Git asks with nothing first, to see whether it is let in.
  if (request.commands.length === 0) return FLUSH;
  try {
    const wanted = requireSnapshotPush(request.commands);
    const row = await requireAnnounced(code, caller, challenge, wanted);
    await storePush(code, row, reader.rest());
    return answer(request, null);
  } catch (thrown) {
    const error = asCrowdaiError(thrown);
    await drain(reader.rest());
    // A rejected ref is a verdict on the code. What only the broker is short of is a status, after which it is pushed again.
    if (error.fault === "platform") throw thrown;
    return answer(request, error);
  }
}

async function requireAnnounced(
  { records: { db } }: Needs<"records">,
  caller: Caller,
  challenge: string,
  wanted: { submission: string; commit: string },
): Promise<SubmissionCodeRow> {
  const row = await readCode(db, wanted.submission);
  if (!row || row.participant_id !== caller.id || row.challenge !== challenge)
    throw new CrowdaiError(
      "code_push_refused",
      `No submission "${wanted.submission}" of yours to ${challenge} was announced with code.`,
    );
  if (row.commit_name !== wanted.commit)
    throw new CrowdaiError(
      "code_push_refused",
      `${wanted.submission} was announced with commit ${row.commit_name}, not ${wanted.commit}.`,
    );
  const { state } = await db
    .selectFrom("submissions")
    .select("state")
    .where("id", "=", wanted.submission)
    .executeTakeFirstOrThrow();
  if (state === "cancelled")
    throw new CrowdaiError("code_push_refused", `${wanted.submission} was cancelled; its code is not kept.`);
  return row;
}

/** The report, with the reason of a refusal for the person who pushes. */
function answer({ commands, capabilities }: PushRequest, error: CrowdaiError | null): Buffer {
  const states = commands.map(({ ref }) => (error ? `ng ${ref} ${error.code}\n` : `ok ${ref}\n`));
  const report = Buffer.concat([packetLine("unpack ok\n"), ...states.map(packetLine), FLUSH]);
  if (!capabilities.has("report-status")) return FLUSH;
  if (!capabilities.has("side-band-64k")) return report;
  const told = error ? [sideBand(2, `error[${error.code}]: ${error.message}\n${error.toBody().next}\n`)] : [];
  return Buffer.concat([...told, sideBand(1, report), FLUSH]);
}
