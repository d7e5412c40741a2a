/** Time as an argument, so that tests can control it. */
export type Clock = () => Date;

export const iso = (time: Date | number): string => new Date(time).toISOString();
