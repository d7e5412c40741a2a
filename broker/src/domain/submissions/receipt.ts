import type { Receipt, Upload } from "@crowdai/shared";
import { markedStep } from "@crowdai/shared/marked-steps";
import type { SubmissionRow } from "../../records/tables.ts";
import { announcedObject } from "./announced-parts.ts";
import { announcedModel, readModels } from "./models.ts";
import type { Needs } from "./services.ts";
import { codePush } from "./submission-code.ts";
import { readSurroundings, type Surroundings, type ViewNeeds, viewSubmission } from "./view-submission.ts";

/** Maximum number of upload addresses in one message. */
const MAX_ADDRESSES = 256;

/** The services that making a receipt uses. */
export type ReceiptNeeds = ViewNeeds & Needs<"records" | "objects">;

/**
 * Returns the submission's current state, and where to send the bytes that are still missing. A row that was
 * only just written comes with what is `known` about it.
 */
export async function receipt(
  context: ReceiptNeeds,
  row: SubmissionRow,
  known?: Surroundings,
): Promise<Receipt> {
  const isAwaited = row.state === "initiated";
  const isNew = known !== undefined;
  const planInput = async (key: string) => {
    const announced = await announcedObject(context.records.db, row);
    return markedStep("upload.plan-input", () => context.objects.planUpload(key, announced, { isNew }));
  };
  const upload = isAwaited && row.input_key ? await planInput(row.input_key) : null;
  const models = [];
  let addressesLeft = MAX_ADDRESSES - (upload?.parts.length ?? 0);
  for (const model of await readModels(context.records.db, row)) {
    const plan = isAwaited
      ? await markedStep("upload.plan-model", () =>
          context.objects.planUpload(model.key, announcedModel(model), { isNew }),
        )
      : null;
    if (!plan || plan.parts.length === 0) {
      models.push({ name: model.name, upload: null });
      continue;
    }
    const parts = plan.parts.slice(0, Math.max(0, addressesLeft));
    addressesLeft -= parts.length;
    // Parts without an address yet are counted; they get one in a later receipt.
    models.push({ name: model.name, upload: { ...plan, parts, missing: plan.missing ?? countOf(plan) } });
  }
  const { db } = context.records;
  const surroundings = known ?? (await readSurroundings(db, row));
  const { participant, code } = surroundings;
  return {
    submission: await viewSubmission(context, db, row, surroundings),
    upload,
    code: code ? codePush(context.baseUrl(), participant, code) : null,
    models,
  };
}

const countOf = ({ parts }: Upload) => ({
  parts: parts.length,
  bytes: parts.reduce((sum, { size }) => sum + size, 0),
});
