/** Questions on a terminal: a line is an answer, and one that cannot be used is asked for again. */

import { createInterface, type Interface } from "node:readline";

/** Where questions are asked. */
export interface Conversation {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** The input ended, or Ctrl-C came, before a question was answered. */
export class InputEnded extends Error {}

export class Interview {
  readonly #lines: Interface;
  readonly #answers: AsyncIterator<string>;
  readonly #output: NodeJS.WritableStream;
  #isClosed = false;

  constructor({ input, output }: Conversation) {
    this.#output = output;
    this.#lines = createInterface({ input, output });
    // Without this Ctrl-C would leave a question that nobody answers.
    this.#lines.on("SIGINT", () => this.#lines.close());
    this.#lines.on("close", () => {
      this.#isClosed = true;
    });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  say(line: string): void {
    this.#output.write(`${line}\n`);
  }

  /** Asks until `parse` makes something of the answer; the sentence that it returns instead says why it does not. */
  async ask<T>(prompt: string, parse: (text: string) => T | string): Promise<T> {
    for (;;) {
      // Lines that came before an end of the input are still answers.
      if (!this.#isClosed) {
        this.#lines.setPrompt(prompt);
        this.#lines.prompt();
      }
      const { value, done } = await this.#answers.next();
      if (done === true) {
        this.say("");
        throw new InputEnded();
      }
      const parsed = parse(value.trim());
      if (typeof parsed !== "string") return parsed;
      this.say(`  ${parsed}`);
    }
  }

  close(): void {
    this.#lines.close();
  }
}
