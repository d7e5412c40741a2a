import { z } from "zod";
import { locate } from "./broker-address.ts";
import { request } from "./http-request.ts";
import { readResponse } from "./http-response.ts";
import type { Agents } from "./proxy-agents.ts";
import { readText } from "./response-body.ts";

/** What /healthz answers on a broker, as far as a client depends on it. */
export const healthSchema = z.object({ service: z.literal("crowdai") });

/** Whether a crowdAI broker answers there. */
export async function isBroker(
  broker: URL,
  options: { signal?: AbortSignal; agents?: Agents; connectMs?: number; idleMs?: number } = {},
): Promise<boolean> {
  try {
    const reply = await request(locate(broker, "/healthz"), { idleMs: 5_000, ...options });
    readResponse(reply, await readText(reply, 64 * 1024), healthSchema);
    return true;
  } catch {
    return false;
  }
}
