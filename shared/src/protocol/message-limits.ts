/** The largest JSON value sent inside a message, in bytes of text. Larger values are uploaded to the object store. */
export const INLINE_LIMIT = 64 * 1024;
/** The largest message that client and broker accept, in bytes. */
export const MESSAGE_LIMIT = 1024 * 1024;
/** The deepest nesting of a submitted JSON value. */
export const DEPTH_LIMIT = 100;
/** The most values in one function call. */
export const CALL_LIMIT = 1000;
/** The most models stored with one submission. */
export const MODEL_LIMIT = 20;
