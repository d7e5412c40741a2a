import { isUtf8 } from "node:buffer";
import { CrowdaiError, parseJson } from "@crowdai/shared";
import type { Context, HonoRequest } from "hono";
import { HTTPException } from "hono/http-exception";

/** Explains why the framework refused the body of a request; returns anything else unchanged. */
export async function bodyError(c: Context, thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof HTTPException) || (thrown.status !== 400 && thrown.status !== 415)) return thrown;
  const coding = c.req.header("content-encoding");
  if (coding !== undefined && coding !== "identity")
    return new CrowdaiError(
      "media_type_unsupported",
      `The request body is compressed (${coding.slice(0, 100)}), which this route does not accept.`,
      { next: "Send the body uncompressed." },
    );
  if (thrown.status === 415) {
    const type = c.req.header("content-type")?.slice(0, 100);
    return new CrowdaiError(
      "media_type_unsupported",
      type
        ? `This route does not accept a body of type "${type}".`
        : "The request does not state its content type.",
    );
  }
  const text = await readUtf8(c.req).catch(() => null);
  if (text?.trim() === "") return malformed("The request body is empty.");
  // UTF-16 has a null byte in every ASCII character.
  if (!text || text.includes("\0")) return malformed("The request body is not UTF-8 text.");
  try {
    parseJson(text, "The request body");
    return thrown;
  } catch (error) {
    return error instanceof CrowdaiError ? malformed(error.message, error.details) : thrown;
  }
}

/** Reads a body as text. Throws when it is not UTF-8, which would otherwise change without a word. */
export async function readUtf8(request: HonoRequest): Promise<string> {
  const bytes = await request.arrayBuffer();
  if (!isUtf8(new Uint8Array(bytes))) throw new TypeError("not UTF-8");
  return request.text();
}

const malformed = (message: string, details?: Record<string, unknown>) =>
  new CrowdaiError("usage", message, { next: "Send JSON as UTF-8 text.", details });
