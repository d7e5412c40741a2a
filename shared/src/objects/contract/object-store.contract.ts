import { afterEach, beforeEach, describe } from "vitest";
import type { ObjectStore } from "../object-store.ts";
import { downloadsContract } from "./downloads.contract.ts";
import { objectsContract } from "./objects.contract.ts";
import { uploadsContract } from "./uploads.contract.ts";

export interface StoreUnderTest {
  store: ObjectStore;
  /** Closes the store and removes what the test left in it. */
  close(): Promise<void>;
}

/**
 * The contract of every object store. `create` makes an empty one, whose signed URLs can be fetched. Stores
 * may respond differently to a misused URL, but none may do what it asks for.
 */
export function objectStoreContract(name: string, create: () => Promise<StoreUnderTest>): void {
  describe(`${name}, as an object store`, () => {
    let under: StoreUnderTest;
    beforeEach(async () => {
      under = await create();
    });
    afterEach(() => under.close());

    const store = () => under.store;
    objectsContract(store);
    uploadsContract(store);
    downloadsContract(store);
  });
}
