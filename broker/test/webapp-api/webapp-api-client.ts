import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";

export const ADMIN = "admin-key-of-this-broker";

export interface Asked {
  /** The key, or a whole Authorization header. */
  key?: string | null;
  header?: string;
  query?: Record<string, string> | string;
  /** An object goes as JSON; a text as what `type` says. */
  body?: unknown;
  type?: string;
}

/** The body of an answer, or an item of a list. */
export interface WebappAnswer {
  message: string;
  submission_id: number;
  [name: string]: unknown;
}

export interface Answered {
  status: number;
  body: WebappAnswer;
  headers: Headers;
}

export interface WebappStage extends TestBroker {
  /** Key of the organizer of challenge "test". */
  organizer: string;
  /** Key of the organizer of challenge "other". */
  stranger: string;
  ask(method: string, path: string, asked?: Asked): Promise<Answered>;
  /** Creates a submission of ada's in "test", by default `submitted`. */
  create(query?: Record<string, string>, asked?: Asked): Promise<Answered>;
  update(id: number | string, query?: Record<string, string>, asked?: Asked): Promise<Answered>;
  /** The submission as the admin reads it. */
  read(id: number): Promise<WebappAnswer>;
  count(): Promise<number>;
}

/** A broker with an admin's key, and an organizer for each of the challenges "test" and "other". */
export async function startWebapp(options: Parameters<typeof startBroker>[0] = {}): Promise<WebappStage> {
  const test = await startBroker({
    withGrader: false,
    challenges: [{}, { id: "other" }],
    ...options,
    env: { WEBAPP_TOKEN: ADMIN, ...options.env },
  });
  const now = new Date().toISOString();
  const organizer = await addOrganizer(test.records, "org", ["test"], now);
  const stranger = await addOrganizer(test.records, "stranger", ["other"], now);

  const ask: WebappStage["ask"] = async (method, path, { key = ADMIN, header, query, body, type } = {}) => {
    const search = typeof query === "string" ? query : new URLSearchParams(query).toString();
    const authorization = header ?? (key === null ? undefined : `Token token=${key}`);
    const answer = await fetch(`${test.broker.url}${path}${search ? `?${search}` : ""}`, {
      method,
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        "content-type": type ?? (typeof body === "object" ? "application/json" : "application/vnd.api+json"),
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: JSON.parse(text || "null") };
  };
  return Object.defineProperties(
    {
      organizer,
      stranger,
      ask,
      create: (query = {}, asked = {}) =>
        ask("POST", "/api/external_graders", {
          ...asked,
          query: { api_key: test.key, challenge_client_name: "test", grading_status: "submitted", ...query },
        }),
      update: (id, query = {}, asked = {}) =>
        ask("PATCH", `/api/external_graders/${id}`, { ...asked, query }),
      read: async (id) => (await ask("GET", `/api/submissions/${id}`)).body,
      count: async () => (await test.records.db.selectFrom("submissions").select("id").execute()).length,
    } satisfies Omit<WebappStage, keyof TestBroker>,
    Object.getOwnPropertyDescriptors(test),
  ) as WebappStage;
}
