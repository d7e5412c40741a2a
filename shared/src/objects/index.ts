export { createFolderStore } from "./folder-store.ts";
export type { ObjectStore, StoredObject } from "./object-store.ts";
export { OBJECT_KEY } from "./object-store.ts";
