import type { DatabaseSync } from "node:sqlite";
import type { Report } from "@crowdai/shared";

/** A fault that the simulation must find. The product's files stay as they are. */
export interface PlantedFault {
  plant(sqlite: DatabaseSync): void;
  remove(sqlite: DatabaseSync): void;
  receive?(sqlite: DatabaseSync, report: Report): Report;
}
