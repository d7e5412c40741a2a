import { CrowdaiError } from "@crowdai/shared";
import { z } from "zod";
import { plainLine } from "../terminal/plain-text.ts";
import { relativeTime } from "../terminal/time.ts";
import type { CommandContext } from "./handler.ts";

const trustSchema = z.object({
  subject: z.string(),
  issuer: z.string(),
  repository: z.string(),
  ref: z.string().nullable(),
  environment: z.string().nullable(),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  repository_id: z.string().nullable(),
  owner_id: z.string().nullable(),
  active: z.boolean(),
});

/** Trusts CI jobs, lists them, or withdraws the trust. */
export async function ci(
  context: CommandContext,
  { action, subject }: { action: "trust" | "list" | "untrust"; subject?: string },
): Promise<number> {
  if (action === "list") return list(context);
  if (!subject)
    throw new CrowdaiError("usage", `\`crowdai ci ${action}\` needs a subject, such as github:owner/repo.`);
  return action === "trust" ? trust(context, subject) : untrust(context, subject);
}

async function trust({ connection, terminal }: CommandContext, subject: string): Promise<number> {
  await connection.key();
  const made = await (await connection.http()).post("/api/v1/ci/trusts", { subject }, trustSchema, {
    repeatable: true,
  });
  const { broker } = connection.settings;
  terminal.present({
    json: { broker, trust: made },
    ndjson: [{ type: "trust", trust: made }],
    quiet: [made.subject],
    text: () => terminal.answer(`Jobs of ${plainLine(made.subject)} can now submit to ${broker} as you.`),
  });
  terminal.note(
    made.subject.startsWith("github:")
      ? "Give the job `permissions: id-token: write` and no key."
      : `Give the job an ID token named CROWDAI_ID_TOKEN, with the audience ${broker}, and no key.`,
  );
  return 0;
}

async function untrust({ connection, terminal }: CommandContext, subject: string): Promise<number> {
  await connection.key();
  const http = await connection.http();
  const gone = await http.post("/api/v1/ci/trusts/withdraw", { subject }, z.object({ subject: z.string() }));
  const { broker } = connection.settings;
  terminal.present({
    json: { broker, withdrawn: gone.subject },
    ndjson: [{ type: "withdrawn", subject: gone.subject }],
    quiet: [gone.subject],
    text: () =>
      terminal.answer(
        `Jobs of ${plainLine(gone.subject)} are no longer trusted, and their sessions have ended.`,
      ),
  });
  return 0;
}

async function list({ connection, terminal }: CommandContext): Promise<number> {
  await connection.key();
  const http = await connection.http();
  const { trusts } = await http.get("/api/v1/ci/trusts", z.object({ trusts: z.array(trustSchema) }));
  const time = (iso: string) => (terminal.isForEyes ? relativeTime(iso) : iso);
  terminal.present({
    json: { broker: connection.settings.broker, trusts },
    ndjson: trusts.map((one) => ({ type: "trust", trust: one })),
    quiet: trusts.map((one) => one.subject),
    text: () =>
      terminal.table(
        ["Subject", "Added", "Last used", "State"],
        trusts.map((one) => [
          one.subject,
          time(one.created_at),
          one.last_used_at && time(one.last_used_at),
          one.active ? "active" : "ended",
        ]),
      ),
  });
  if (trusts.length === 0) terminal.note("You trust no CI jobs.");
  if (trusts.some((one) => !one.active))
    terminal.note(
      "A trust ends when the key it was added with is revoked, or when the broker no longer accepts its CI system. To renew it, run `crowdai ci trust` again.",
    );
  return 0;
}
