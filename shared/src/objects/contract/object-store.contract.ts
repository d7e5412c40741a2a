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
 * What every object store must keep to. `create` makes an empty one, whose signed addresses can be reached with `fetch`. What
 * a store answers to an address misused is its own; that it does not do what was asked is not.
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
