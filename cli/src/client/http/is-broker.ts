import { z } from "zod";
import { locate } from "./broker-address.ts";
import { request } from "./http-request.ts";
import { readResponse } from "./http-response.ts";
import type { Agents } from "./proxy-agents.ts";
import { readText } from "./response-body.ts";

/** The part of the answer to /healthz that identifies a broker. */
export const healthSchema = z.object({
  service: z.literal("crowdai"),
  version: z.string().nullable().catch(null),
});

/**
 * Asks whether a crowdAI broker answers at the address, and which version it has. Returns null for another
 * server.
 */
export async function askBroker(
  broker: URL,
  options: { signal?: AbortSignal; agents?: Agents; connectMs?: number; idleMs?: number } = {},
): Promise<z.infer<typeof healthSchema> | null> {
  try {
    const reply = await request(locate(broker, "/healthz"), { idleMs: 5_000, ...options });
    return readResponse(reply, await readText(reply, 64 * 1024), healthSchema);
  } catch {
    return null;
  }
}
