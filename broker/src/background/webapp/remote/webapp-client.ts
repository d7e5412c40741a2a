import { z } from "zod";

/** The webapp was unreachable, or sent no usable response: a retry may succeed. The message names no key. */
export class WebappUnreachable extends Error {
  override readonly name = "WebappUnreachable";
  /** Status of the unusable response; null when there was none. */
  readonly status: number | null;

  constructor(reason: string, status: number | null = null) {
    super(reason);
    this.status = status;
  }
}

/** A refusal in the webapp's own words: a retry would be refused again. */
export class WebappRefusal extends Error {
  override readonly name = "WebappRefusal";
}

const messageSchema = z.object({ message: z.string() });
const verifiedSchema = z.object({ participant_id: z.number().int().nullable() });
const createdSchema = z.object({ message: z.string(), submission_id: z.number().int() });
const detailsSchema = z.object({
  grading_status_cd: z.string(),
  grading_message: z.string().nullish(),
  post_challenge: z.boolean().nullish(),
});
const idsSchema = z.array(z.number().int());
const wholeSchema = z.object({ meta: z.unknown() });

/** Where the `meta` that the webapp stores contains a submission's mark. */
export const SUBMISSION_MARK = "crowdai_submission";
/** How many submissions are searched for a mark. */
const MAX_CHECKED = 200;
const MAX_BYTES = 8 * 1024 * 1024;

export interface WebappClient {
  /** Resolves with the webapp's id of the participant with this key; null for an unknown key. */
  verify(key: string): Promise<number | null>;
  /**
   * Opens a submission. Resolves with its id, and with the participant's name if the response contains it.
   * Throws WebappRefusal.
   */
  create(form: Record<string, string>): Promise<{ number: number; participant: string | null }>;
  update(number: number, form: Record<string, string>): Promise<void>;
  /**
   * Resolves with the reason why the webapp marked a submission that was just opened as failed, for example
   * lateness; null when it did not, or does not say.
   */
  failureOf(number: number): Promise<string | null>;
  /**
   * Finds the submission with this mark in a challenge; `unknowable` when the webapp does not list
   * submissions to the broker.
   */
  find(challenge: string, mark: string, after: string, known: ReadonlySet<number>): Promise<FoundSubmission>;
}

export type FoundSubmission = { number: number } | "absent" | "unknowable";

/** The broker's calls to a webapp. Each throws WebappUnreachable when no usable response arrives in time. */
export function createWebappClient(options: {
  url: string;
  token: string;
  timeoutMs: number;
  signal: AbortSignal;
}): WebappClient {
  const { url, token, timeoutMs, signal } = options;

  async function ask(method: string, path: string, form?: Record<string, string>) {
    let answer: Response;
    let text: string;
    try {
      answer = await fetch(`${url}/api/${path}`, {
        method,
        headers: { authorization: `Token token=${token}`, accept: "application/json" },
        // In the body, which no server logs: the webapp accepts parameters there too.
        ...(form ? { body: new URLSearchParams(form) } : {}),
        // The token is sent to no other address.
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      text = await readText(answer);
    } catch (error) {
      throw new WebappUnreachable(reasonOf(error));
    }
    const { status } = answer;
    if (status === 401)
      throw new WebappUnreachable("it rejected WEBAPP_TOKEN for this request (401)", status);
    if (status >= 500 || status === 408 || status === 429)
      throw new WebappUnreachable(`it answered ${status}`, status);
    const body = parsed(text);
    if (body === undefined) throw new WebappUnreachable(`it answered ${status} without JSON`, status);
    return { status, body };
  }

  return {
    async verify(key) {
      const { status, body } = await ask("GET", `external_graders/${encodeURIComponent(key)}`);
      const read = verifiedSchema.safeParse(body);
      // A 404 of some other server must not end a key: the webapp's own 404 says that there is no
      // participant.
      if (!read.success || (status !== 200 && status !== 404)) throw unexpected(status);
      return status === 200 ? read.data.participant_id : null;
    },

    async create(form) {
      const { status, body } = await ask("POST", "external_graders", form);
      const made = createdSchema.safeParse(body);
      // The original may refuse after it has created the submission: it then returns the id, and the
      // submission exists.
      if (made.success && (status === 202 || status === 400)) {
        const { submission_id: number, message } = made.data;
        return { number, participant: /^Participant (.+) scored$/su.exec(message)?.[1] ?? null };
      }
      throw refusalOr(status, body);
    },

    async update(number, form) {
      const { status, body } = await ask("PATCH", `external_graders/${number}`, form);
      if (status !== 202) throw refusalOr(status, body);
    },

    async failureOf(number) {
      const { status, body } = await ask("GET", `external_graders/${number}/submission_info`);
      const outer = z.object({ body: z.string() }).safeParse(body);
      const details = detailsSchema.safeParse(outer.success ? parsed(outer.data.body) : null);
      if (status !== 200 || !details.success) throw unexpected(status);
      const { grading_status_cd, grading_message } = details.data;
      return grading_status_cd === "failed"
        ? (grading_message ?? "The webapp refused the submission.")
        : null;
    },

    async find(challenge, mark, after, known) {
      const query = new URLSearchParams({ challenge_client_name: challenge, after });
      // The original has no such list, and may deny it to an organizer's key: both are answers, unlike
      // silence.
      const listed = await ask("GET", `submissions?${query}`).catch(unless(401, 404));
      const ids = idsSchema.safeParse(listed.body);
      if (listed.status !== 200 || !ids.success) return "unknowable";
      const candidates = ids.data.filter((id) => !known.has(id)).sort((a, b) => b - a);
      for (const number of candidates.slice(0, MAX_CHECKED)) {
        // The original fails on a submission whose participant was deleted; such a submission is not ours.
        const one = await ask("GET", `submissions/${number}`).catch(unless(401, 404, 500));
        // An organizer's key may list ids without being allowed to read the submissions.
        if (one.status === 401) return "unknowable";
        const whole = wholeSchema.safeParse(one.body);
        if (whole.success && markOf(whole.data.meta) === mark) return { number };
      }
      return candidates.length > MAX_CHECKED ? "unknowable" : "absent";
    },
  };
}

const unless =
  (...statuses: number[]) =>
  (error: unknown): { status: number; body: null } => {
    if (error instanceof WebappUnreachable && error.status !== null && statuses.includes(error.status))
      return { status: error.status, body: null };
    throw error;
  };

function markOf(meta: unknown): unknown {
  const value = typeof meta === "string" ? parsed(meta) : meta;
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[SUBMISSION_MARK]
    : undefined;
}

async function readText(answer: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > MAX_BYTES) throw new Error("the response is too long");
  }
  return text;
}

const parsed = (text: string): unknown => safely(() => JSON.parse(text));

function safely<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function refusalOr(status: number, body: unknown): Error {
  const read = messageSchema.safeParse(body);
  const isRefusal = read.success && [400, 403, 404, 409, 422].includes(status);
  return isRefusal ? new WebappRefusal(read.data.message) : unexpected(status);
}

const unexpected = (status: number) =>
  new WebappUnreachable(`it answered ${status} in an unexpected form`, status);

/**
 * Returns the kind of a network failure. The whole error would include the address, which may contain a key.
 */
function reasonOf(error: unknown): string {
  const { name, cause } = error as Error & { cause?: { code?: unknown } };
  if (name === "TimeoutError") return "it did not answer in time";
  const code = cause?.code ?? (error as { code?: unknown }).code;
  return typeof code === "string" ? `the connection failed (${code})` : "the connection failed";
}
