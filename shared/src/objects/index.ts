export { singleRange } from "./byte-range.ts";
export { createFolderStore, type FolderStore, type FolderStoreOptions } from "./folder-store.ts";
export { handleObjectRequest, type SignedStore, streamOf } from "./object-request.ts";
export type { AnnouncedObject, ObjectStore, StoredObject } from "./object-store.ts";
export { OBJECT_KEY } from "./object-store.ts";
export { readS3Settings, type S3Settings, s3EnvironmentSchema, s3SettingsOf } from "./s3-settings.ts";
