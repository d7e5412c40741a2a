import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN, startWebapp, type WebappStage } from "./webapp-api-client.ts";

/**
 * Writes a value into a query as Python's `requests` does: omits None, prints True and floats as Python does.
 */
type PythonValue = string | number | boolean | null;

interface SubmissionFields {
  score?: number | null;
  score_secondary?: number | null;
  grading_status?: string;
  grading_message?: string;
  description_markdown?: string;
  challenge_round_id?: number;
  media?: { large: string; thumbnail: string; content_type: string };
  meta?: Record<string, PythonValue>;
}

/**
 * Sends requests and reads responses exactly as the published Python API client does, with the admin's key.
 */
function pythonClient(base: string, token: string) {
  const text = (value: PythonValue) =>
    typeof value === "boolean" ? (value ? "True" : "False") : String(value);
  async function call(
    method: string,
    path: string,
    parameters: Record<string, PythonValue | undefined> = {},
  ) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters))
      if (value !== null && value !== undefined) query.append(name, text(value));
    const answer = await fetch(`${base}${path}?${query}`, {
      method,
      headers: { authorization: `Token token=${token}`, "content-type": "application/vnd.api+json" },
    });
    return { status: answer.status, text: await answer.text() };
  }
  /** Reads JSON, and throws an error with its message; fails on any other text. */
  const raised = (answer: { text: string }) =>
    new Error((JSON.parse(answer.text) as { message: string }).message);

  function sent(challenge: string, apiKey: string, fields: SubmissionFields) {
    const { meta = {}, media, ...plain } = fields;
    return {
      challenge_client_name: challenge,
      api_key: apiKey,
      grading_status: "submitted",
      ...plain,
      ...(media && {
        media_large: media.large,
        media_thumbnail: media.thumbnail,
        media_content_type: media.content_type,
      }),
      ...Object.fromEntries(Object.entries(meta).map(([name, value]) => [`meta[${name}]`, value])),
      ...(Object.keys(meta).length > 0 ? { meta_overwrite: true } : {}),
    };
  }

  const authenticate = async (apiKey: string): Promise<number> => {
    const answer = await call("GET", `/external_graders/${apiKey}`);
    if (answer.status !== 200) throw raised(answer);
    const { participant_id, message } = JSON.parse(answer.text);
    expect(message).toBe("Developer API key is valid");
    return Math.trunc(Number(participant_id));
  };
  return {
    authenticate,
    async authenticateByName(name: string) {
      const answer = await call("GET", `/participants/${encodeURIComponent(name)}`);
      if (answer.status !== 200) throw raised(answer);
      const { id, api_key } = JSON.parse(answer.text);
      expect(await authenticate(api_key)).toBe(id);
      return { id: id as number, apiKey: api_key as string };
    },
    async create(challenge: string, apiKey: string, fields: SubmissionFields = {}): Promise<number> {
      const answer = await call("POST", "/external_graders", sent(challenge, apiKey, fields));
      if (answer.status !== 202) throw raised(answer);
      return JSON.parse(answer.text).submission_id;
    },
    async update(id: number, challenge: string, apiKey: string, fields: SubmissionFields): Promise<void> {
      const answer = await call("PATCH", `/external_graders/${id}`, sent(challenge, apiKey, fields));
      if (answer.status !== 202) throw raised(answer);
    },
    async get(id: number) {
      const answer = await call("GET", `/submissions/${id}`);
      if (answer.status !== 200) throw new Error("Invalid submission id");
      const body = JSON.parse(answer.text);
      for (const name of ["grading_status_cd", "score", "score_secondary", "description_markdown"])
        expect(body).toHaveProperty(name);
      return { ...body, meta: typeof body.meta === "string" ? JSON.parse(body.meta) : body.meta };
    },
    async list(challenge: string, status = "graded"): Promise<number[]> {
      const parameters = {
        challenge_client_name: challenge,
        ...(status === "*" ? {} : { grading_status: status }),
      };
      const answer = await call("GET", "/submissions", parameters);
      if (answer.status !== 200) throw raised(answer);
      return JSON.parse(answer.text);
    },
  };
}

describe("the Python API client", () => {
  let test: WebappStage;
  let client: ReturnType<typeof pythonClient>;
  beforeAll(async () => {
    test = await startWebapp({
      challenges: [
        {
          score_secondary: { title: "Second", order: "descending", precision: 3 },
          rounds: [{ id: "1" }],
        },
        { id: "limited", rounds: [{ id: "1", limit: { count: 1, per: "day" } }] },
      ],
    });
    client = pythonClient(`${test.broker.url}/api`, ADMIN);
  });
  afterAll(() => test.close());

  it("verifies a participant's key", async () => {
    expect(await client.authenticate(test.key)).toBe(1);
  });

  it("raises the message for a wrong key", async () => {
    await expect(client.authenticate("wrong-key")).rejects.toThrow(
      "No participant could be found for this API key",
    );
  });

  it("looks up a participant by user name, and submits with the returned reference", async () => {
    const { id, apiKey } = await client.authenticateByName("ada");
    expect(id).toBe(1);
    expect(await client.get(await client.create("test", apiKey))).toMatchObject({ participant_id: 1 });
  });

  it("raises the message for an unknown user name", async () => {
    await expect(client.authenticateByName("unknown")).rejects.toThrow(
      "No participant could be found for this username",
    );
  });

  it("raises a message, too, when its own key is wrong", async () => {
    const stranger = pythonClient(`${test.broker.url}/api`, "wrong");
    await expect(stranger.authenticate(test.key)).rejects.toThrow("HTTP Token: Access denied.");
    await expect(stranger.create("test", test.key)).rejects.toThrow("HTTP Token: Access denied.");
  });

  it("creates a submission, whose id is an integer", async () => {
    const id = await client.create("test", test.key);
    expect(Number.isInteger(id)).toBe(true);
    expect(await client.get(id)).toMatchObject({ id, grading_status_cd: "submitted", score: null });
  });

  it("raises the message for an unknown challenge", async () => {
    await expect(client.create("nothing", test.key)).rejects.toThrow(
      "The Challenge Client Name string did not match any challenge.",
    );
  });

  it("raises the message when no slot is left", async () => {
    await client.create("limited", test.key);
    await expect(client.create("limited", test.key)).rejects.toThrow(
      "The participant has no submission slots remaining for today.",
    );
  });

  it("grades a submission, small scores included", async () => {
    const id = await client.create("test", test.key);
    await client.update(id, "test", test.key, {
      grading_status: "graded",
      score: 0.98,
      score_secondary: 1e-7,
      grading_message: "graded successfully",
    });
    expect(await client.get(id)).toMatchObject({
      grading_status_cd: "graded",
      score: 0.98,
      score_secondary: 1e-7,
    });
  });

  it("fails a submission with a message, and cannot without", async () => {
    const id = await client.create("test", test.key);
    await client.update(id, "test", test.key, { grading_status: "failed", grading_message: "ValueError" });
    expect(await client.get(id)).toMatchObject({ grading_status_cd: "failed", score: null });
    await expect(client.update(id, "test", test.key, { grading_status: "failed" })).rejects.toThrow(
      "Grading message must be provided if grading = failed",
    );
  });

  it("keeps meta, and replaces it", async () => {
    const meta = { file_key: "submissions/1", tries: 3, public: true };
    const id = await client.create("test", test.key, { meta });
    // Values of a query are text.
    expect((await client.get(id)).meta).toEqual({ file_key: "submissions/1", tries: "3", public: "True" });
    await client.update(id, "test", test.key, { meta: { other: "x" } });
    expect((await client.get(id)).meta).toEqual({ other: "x" });
  });

  it("sets media, with a video's id as both keys", async () => {
    const media = { large: "dQw4w9WgXcQ", thumbnail: "dQw4w9WgXcQ", content_type: "video/youtube" };
    const id = await client.create("test", test.key, {
      grading_status: "graded",
      score: 1,
      score_secondary: 0,
      media,
    });
    await client.update(id, "test", test.key, {
      grading_status: "graded",
      score: 2,
      score_secondary: 0,
      media,
    });
    expect(await client.get(id)).toMatchObject({ score: 2 });
  });

  it("writes the description, and does not empty it", async () => {
    const id = await client.create("test", test.key, { description_markdown: "# first" });
    await client.update(id, "test", test.key, { description_markdown: "" });
    expect(await client.get(id)).toMatchObject({ description_markdown: "# first" });
  });

  it("refuses an invalid id with its own message", async () => {
    await expect(client.get(999_999)).rejects.toThrow("Invalid submission id");
  });

  it("lists the ids of a challenge's submissions, of one status or of all", async () => {
    const graded = await client.list("test");
    const all = await client.list("test", "*");
    expect(graded.every(Number.isInteger)).toBe(true);
    expect(all).toEqual(expect.arrayContaining(graded));
    expect(all.length).toBeGreaterThan(graded.length);
    for (const id of graded) expect((await client.get(id)).grading_status_cd).toBe("graded");
    await expect(client.list("nothing")).rejects.toThrow("challenge_client_name nothing not found");
  });
});

describe("CLEF tasks, which the broker does not store", () => {
  it("are not found by any key with access", async () => {
    const test = await startWebapp();
    const ask = async (key: string | null) => {
      const { status, body } = await test.ask("GET", "/api/clef_tasks/7", { key });
      return [status, body];
    };
    expect(await ask(ADMIN)).toEqual([404, { message: "clef_task_id 7 not found" }]);
    expect(await ask(test.organizer)).toEqual([404, { message: "clef_task_id 7 not found" }]);
    expect(await ask(null)).toEqual([401, { message: "HTTP Token: Access denied." }]);
    await test.close();
  });
});
