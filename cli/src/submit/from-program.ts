import type { Submission } from "@crowdai/shared";
import { inspectFile } from "../client/byte-source.ts";
import type { HttpClient } from "../client/http.ts";
import type { BrokerSession } from "../client/session.ts";
import { checkInput } from "./checks.ts";
import { type ModelFile, offerModels } from "./models.ts";
import { describeValue, type Offer, offerFile, offerValue } from "./offer.ts";
import { submitResumable } from "./resumable.ts";
import { type Submitting, submitOffer } from "./submit.ts";

/** A submission made by a program with the library. */
interface FromProgram extends Submitting {
  /** Folder for notes of what is unfinished. */
  journal?: string;
  http: HttpClient;
  modelFiles?: readonly (ModelFile | string)[];
}

export async function submitValue(
  session: BrokerSession,
  value: unknown,
  options: FromProgram,
): Promise<Submission> {
  const described = describeValue(value);
  checkInput(session.opening.challenge!, described);
  return handOver(session, offerValue(described), options);
}

export async function submitFile(
  session: BrokerSession,
  path: string,
  options: FromProgram & { name?: string },
): Promise<Submission> {
  const facts = await inspectFile(path, options.name);
  checkInput(session.opening.challenge!, { kind: "file", ...facts });
  const onProgress = (done: number, total: number) => options.onProgress?.({ stage: "hashing", done, total });
  return handOver(session, await offerFile(facts, { signal: options.signal, onProgress }), options);
}

async function handOver(session: BrokerSession, offer: Offer, given: FromProgram): Promise<Submission> {
  const { journal: folder, http, id, modelFiles = [], signal } = given;
  const named = modelFiles.map((model) => (typeof model === "string" ? { file: model } : model));
  const models = await offerModels(session.opening.challenge!, named, { signal });
  const options = { ...given, models };
  if (folder === undefined || id !== undefined) return submitOffer(session, offer, options);
  return submitResumable(session, offer, { ...options, journal: { folder, http } });
}
