export { singleRange } from "./byte-range.ts";
export { createFolderStore, type FolderStore, type FolderStoreOptions } from "./folder-store.ts";
export { handleObjectRequest, type SignedStore } from "./object-request.ts";
export type { AnnouncedObject, ObjectStore, StoredObject } from "./object-store.ts";
export { OBJECT_KEY } from "./object-store.ts";
