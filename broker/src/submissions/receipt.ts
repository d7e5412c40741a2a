import type { Receipt } from "@crowdai/shared";
import type { SubmissionRow } from "../records/tables.ts";
import { announcedObject } from "./announced-parts.ts";
import type { SubmissionContext } from "./context.ts";
import { announcedModel, readModels } from "./models.ts";
import { viewSubmission } from "./view.ts";

/** The submission as it is now, and where to send the bytes that are still missing. */
export async function receipt(context: SubmissionContext, row: SubmissionRow): Promise<Receipt> {
  const isAwaited = row.state === "initiated";
  const upload =
    isAwaited && row.input_key
      ? await context.objects.planUpload(row.input_key, await announcedObject(context.records.db, row))
      : null;
  const models = [];
  for (const model of await readModels(context.records.db, row.id)) {
    const plan = isAwaited ? await context.objects.planUpload(model.key, announcedModel(model)) : null;
    models.push({ name: model.name, upload: plan && plan.parts.length > 0 ? plan : null });
  }
  return {
    submission: await viewSubmission(context, context.records.db, row),
    upload,
    code: null,
    models,
  };
}
