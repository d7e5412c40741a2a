/**
 * The largest JSON value sent inside a message, in bytes of text. Larger values are uploaded to the object
 * store.
 */
export const MAX_INLINE_BYTES = 64 * 1024;
/** The largest message that client and broker accept, in bytes. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;
/** The deepest nesting of a submitted JSON value. */
export const MAX_JSON_DEPTH = 100;
/** The most values in one function call. */
export const MAX_CALL_VALUES = 1000;
/** The most models stored with one submission. */
export const MAX_MODELS = 20;
