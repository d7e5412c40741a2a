/**
 * Input that arrives in pieces: a Blob, a stream of bytes or text, or rows. Rows that are arrays make a CSV
 * file; rows that are objects make a CSV file with a header if the file is named `.csv`, else NDJSON.
 *
 * @example
 * async function* rows() {
 *   yield ["id", "species"];
 *   for await (const batch of batches) for (const row of predict(batch)) yield row;
 * }
 * await challenge.submit(rows(), { name: "predictions.csv" });
 */
export type StreamInput = Blob | ReadableStream | AsyncIterable<unknown>;

export function isStreamInput(input: unknown): input is StreamInput {
  if (typeof input !== "object" || input === null) return false;
  return input instanceof Blob || Symbol.asyncIterator in input || input instanceof ReadableStream;
}
