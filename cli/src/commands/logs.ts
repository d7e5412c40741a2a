import { submissionEventSchema, submissionSchema } from "@crowdai/shared";
import { z } from "zod";
import type { Context } from "../context.ts";
import { plainText } from "../terminal/plain-text.ts";

const eventsSchema = z.object({ submission: submissionSchema, events: z.array(submissionEventSchema) });
type Event = z.infer<typeof submissionEventSchema>;

/** What the evaluator said: its log lines, and the messages that came with its progress. */
export async function logs(context: Context, args: { id: string }): Promise<number> {
  const { terminal } = context;
  await context.key();
  const path = `/api/v1/submissions/${encodeURIComponent(args.id)}/events`;
  const { submission, events } = await (await context.http()).get(path, eventsSchema, { after: 0, wait: 0 });
  const said = events.filter((event) => lineOf(event) !== null);
  terminal.present({
    json: { submission: submission.id, events: said },
    ndjson: said.map((event) => ({ type: "event", event })),
    quiet: [submission.id],
    text: () => {
      for (const event of said) terminal.answer(plainText(lineOf(event)!));
    },
  });

  if (said.length === 0)
    terminal.note(`The evaluator has said nothing${submission.finished_at ? "" : " yet"}.`);
  if (submission.finished_at === null) terminal.next(`crowdai watch ${submission.id}`);
  return 0;
}

function lineOf({ type, data }: Event): string | null {
  if (typeof data.message !== "string" || data.message === "") return null;
  if (type === "log") return data.message;
  if (type === "progress")
    return typeof data.percent === "number" ? `[${data.percent} %] ${data.message}` : data.message;
  return null;
}
