/** What shapes of documents are made of; the door to zod. */

import { z } from "zod";

export { z };

/** A string that `parse` accepts; `parse` returns a sentence for one that it does not. */
export const parsed = (description: string, parse: (text: string) => unknown) =>
  z
    .string()
    .check((context) => {
      const outcome = parse(context.value);
      if (typeof outcome === "string") {
        context.issues.push({ code: "custom", message: outcome, input: context.value });
      }
    })
    .meta({ description });
