/** What is told, be it from here or over the API: what is undefined may be left out. */
export type Told<T> = T extends readonly (infer Item)[]
  ? readonly Told<Item>[]
  : T extends object
    ? { readonly [K in keyof T as undefined extends T[K] ? never : K]: Told<T[K]> } & {
        readonly [K in keyof T as undefined extends T[K] ? K : never]?: Told<T[K]> | undefined;
      }
    : T;
