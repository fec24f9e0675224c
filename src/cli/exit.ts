/** What the program's exit code says. */
export const EXIT = { good: 0, foundWrong: 1, misuse: 2 } as const;
