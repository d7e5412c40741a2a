import {
  callSchema,
  createSessionSchema,
  intentSchema,
  sessionRequestSchemas,
  submissionRefSchema,
  watchBoardSchema,
  watchSchema,
} from "@crowdai/shared";
import { z } from "zod";
import type { Known } from "./hostile-request.ts";
import { hostileValue, type Schema } from "./hostile-values.ts";
import type { Random } from "./random.ts";

export const EVENT_SCHEMAS: Record<string, z.ZodType> = {
  submit: intentSchema,
  call: callSchema,
  complete: submissionRefSchema,
  cancel: submissionRefSchema,
  watch: watchSchema,
  watch_board: watchBoardSchema,
  "environment:create": createSessionSchema,
  ...sessionRequestSchemas,
};

export function hostileEvent(random: Random, event: string, known: Known): unknown {
  const schema = z.toJSONSchema(EVENT_SCHEMAS[event] as z.ZodType, { io: "input" }) as Schema;
  return hostileValue(schema, random, known.names);
}
