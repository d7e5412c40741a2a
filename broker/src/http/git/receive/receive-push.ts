import { CrowdaiError } from "@crowdai/shared";
import { createPacketReader, FLUSH, packetLine, sideBand } from "../../../background/git/pkt-line.ts";
import { asBrokerError } from "../../../base/machine-error.ts";
import type { Caller } from "../../../domain/participants/api-keys.ts";
import type { Needs } from "../../../domain/submissions/services.ts";
import { readCode } from "../../../domain/submissions/submission-code.ts";
import type { SubmissionCodeRow } from "../../../records/tables.ts";
import { type PushRequest, readCommands, requireSnapshotPush } from "./push-commands.ts";
import { drain } from "./spool.ts";
import { type StorePushNeeds, storePush } from "./store-push.ts";

/**
 * Receives a push by the git protocol, without receive-pack or hooks: the commands are read here, only the
 * announced commit of one of the caller's submissions is accepted, and each rejection has one clear message.
 */
export async function receivePush(
  code: StorePushNeeds,
  caller: Caller,
  challenge: string,
  body: AsyncIterable<Uint8Array>,
): Promise<Buffer> {
  const reader = createPacketReader(body);
  const request = await readCommands(reader);
  // Git first sends an empty request, to check its credentials.
  if (request.commands.length === 0) return FLUSH;
  try {
    const wanted = requireSnapshotPush(request.commands);
    const row = await requireAnnounced(code, caller, challenge, wanted);
    await storePush(code, row, reader.rest());
    return answer(request, null);
  } catch (thrown) {
    const error = asBrokerError(thrown);
    await drain(reader.rest());
    // A rejected ref is final for this code. For a problem of the broker, the client gets an HTTP status and
    // pushes again.
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
      `You have no submission "${wanted.submission}" to ${challenge} that was registered with code.`,
    );
  if (row.commit_name !== wanted.commit)
    throw new CrowdaiError(
      "code_push_refused",
      `${wanted.submission} was registered with commit ${row.commit_name}, not ${wanted.commit}.`,
    );
  const { state } = await db
    .selectFrom("submissions")
    .select("state")
    .where("id", "=", wanted.submission)
    .executeTakeFirstOrThrow();
  if (state === "cancelled")
    throw new CrowdaiError(
      "code_push_refused",
      `${wanted.submission} was cancelled, so its code is not stored.`,
    );
  return row;
}

/** Returns the report, with the reason of a rejection for the person who pushes. */
function answer({ commands, capabilities }: PushRequest, error: CrowdaiError | null): Buffer {
  const states = commands.map(({ ref }) => (error ? `ng ${ref} ${error.code}\n` : `ok ${ref}\n`));
  const report = Buffer.concat([packetLine("unpack ok\n"), ...states.map(packetLine), FLUSH]);
  if (!capabilities.has("report-status")) return FLUSH;
  if (!capabilities.has("side-band-64k")) return report;
  const messages = error
    ? [sideBand(2, `error[${error.code}]: ${error.message}\n${error.toBody().next}\n`)]
    : [];
  return Buffer.concat([...messages, sideBand(1, report), FLUSH]);
}
