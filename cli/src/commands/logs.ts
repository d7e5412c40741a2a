import { submissionEventSchema, submissionSchema } from "@crowdai/shared";
import { z } from "zod";
import { plainText } from "../terminal/plain-text.ts";
import type { CommandContext } from "./handler.ts";

const eventsSchema = z.object({ submission: submissionSchema, events: z.array(submissionEventSchema) });
type Event = z.infer<typeof submissionEventSchema>;

/** Prints the log lines of the evaluator and the messages of its progress. */
export async function logs({ connection, terminal }: CommandContext, args: { id: string }): Promise<number> {
  await connection.key();
  const path = `/api/v1/submissions/${encodeURIComponent(args.id)}/events`;
  const { submission, events } = await (await connection.http()).get(path, eventsSchema, {
    after: 0,
    wait: 0,
  });
  const logged = events.filter((event) => lineOf(event) !== null);
  terminal.present({
    json: { submission: submission.id, events: logged },
    ndjson: logged.map((event) => ({ type: "event", event })),
    quiet: [submission.id],
    text: () => {
      for (const event of logged) terminal.answer(plainText(lineOf(event)!));
    },
  });

  if (logged.length === 0)
    terminal.note(`The evaluator has not logged anything${submission.finished_at ? "" : " yet"}.`);
  if (submission.finished_at === null) terminal.next(`crowdai watch ${submission.id}`);
  return 0;
}

function lineOf({ type, data }: Event): string | null {
  if (typeof data.message !== "string" || data.message === "") return null;
  if (type === "log") return data.message;
  if (type === "progress")
    return typeof data.percent === "number" ? `[${data.percent}%] ${data.message}` : data.message;
  return null;
}
