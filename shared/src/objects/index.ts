export { createFolderStore, type FolderStore } from "./folder-store.ts";
export { handleObjectRequest, singleRange } from "./object-request.ts";
export type { ObjectStore, StoredObject } from "./object-store.ts";
export { OBJECT_KEY } from "./object-store.ts";
