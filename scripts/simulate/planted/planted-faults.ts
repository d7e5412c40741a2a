import { faultsInRecords } from "./faults-in-records.ts";
import { faultsInCode } from "./plant-in-code.ts";
import type { PlantedFault } from "./planted-fault.ts";

/** All faults that the simulation must find, by name. */
export const PLANTED_FAULTS: Readonly<Record<string, PlantedFault>> = { ...faultsInRecords, ...faultsInCode };
