/** What the queue needs of a log; pino's loggers are ones. */
export interface QueueLog {
  info(about: object, message: string): void;
  warn(about: object, message: string): void;
  error(about: object, message: string): void;
}
