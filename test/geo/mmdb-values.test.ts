import { describe, expect, test } from "vitest";
import { ValueChecker } from "../../src/geo/mmdb-values.ts";

const check = (octets: readonly number[], at = 0): number =>
  new ValueChecker({ octets: Buffer.from(octets), start: 0, end: octets.length }).check(at);

const text = (letters: string): readonly number[] => [0x40 | letters.length, ...Buffer.from(letters)];
const zeros = (count: number): readonly number[] => Array<number>(count).fill(0);

describe("a sound value has a size", () => {
  test.each<readonly [name: string, octets: readonly number[], size: number]>([
    ["text", text("GB"), 3],
    ["a text of 29 octets", [0x5d, 0, ...zeros(29)], 30],
    ["a text of 285 octets", [0x5e, 0, 0, ...zeros(285)], 286],
    ["a text of 65,821 octets", [0x5f, 0, 0, 0, ...zeros(65_821)], 65_822],
    ["a double", [0x68, ...zeros(8)], 9],
    ["a float", [4, 8, ...zeros(4)], 5],
    ["a uint128", [16, 3, ...zeros(16)], 17],
    ["a boolean, whose size is its value", [1, 7], 1],
    ["a map", [0xe1, ...text("a"), 0xa1, 7], 5],
    ["an array", [2, 4, ...text("a"), ...text("b")], 5],
    ["an array of the same value by pointers", [3, 4, 0x20, 8, 0x20, 8, 0x20, 8, ...text("ab")], 13],
    ["a map whose key is behind a pointer", [0xe1, 0x20, 5, 1, 7, ...text("ab")], 6],
  ])("%s", (_name, octets, size) => expect(check(octets)).toBe(size));

  test.each([
    [1, 0, 2048],
    [2, 0, 526_336],
    [3, 527_000, 527_000],
  ])("behind a pointer of size %i", (pointerSize, low, target) => {
    const pointer = Array.from(
      { length: pointerSize + 1 },
      (_, i) => (low >>> (8 * (pointerSize - i))) & 255,
    );
    const octets = [0x20 | (pointerSize << 3), ...pointer];
    const section = [...octets, ...zeros(target - octets.length), ...text("GB")];
    expect(check(section)).toBe(4);
  });
});

describe("no sound value", () => {
  const past = "a value runs past the end of its section";
  test.each<readonly [name: string, octets: readonly number[], words: string]>([
    ["nothing", [], "a pointer leads out of its section"],
    ["a text that is longer than the section", [0x42, 65], past],
    ["a size that is cut off", [0x5f, 0, 0], past],
    ["a pointer that is cut off", [0x30, 0], past],
    ["an array of sixteen million", [0x1f, 4, 0xff, 0xff, 0xff], past],
    ["a map of sixteen million", [0xff, 0xff, 0xff, 0xff], past],
    ["a pointer behind the section", [0x20, 9], "a pointer leads out of its section"],
    ["a key behind the section", [0xe1, 0x20, 9, 1, 7], past],
    ["a pointer to itself", [0x20, 0], "values lie more than 512 deep in each other"],
    ["a map that holds itself", [0xe1, ...text("a"), 0x20, 0], "values lie more than 512 deep in each other"],
    ["arrays in each other", Array(600).fill([1, 4]).flat(), "values lie more than 512 deep in each other"],
    ["a key that is a number", [0xe1, 0xa1, 7, 0xa1, 7], "a key of a map is no text"],
    ["a key that is an array behind a pointer", [0xe1, 0x20, 5, 1, 7, 0, 4], "a key of a map is no text"],
    ["a double of five octets", [0x65, ...zeros(5)], "a value of type 3 has a size of 5"],
    ["a uint32 of five octets", [0xc5, ...zeros(5)], "a value of type 6 has a size of 5"],
    ["an end marker", [0, 6], "there is no type 13 of values"],
    ["a container", [0, 5], "there is no type 12 of values"],
    ["an extended type that is none", [0xe1, ...text("a"), 0, 0], "there is no type 0 of values"],
    ["a type behind the last", [0, 99], "there is no type 106 of values"],
  ])("%s", (_name, octets, words) => expect(() => check(octets)).toThrow(new Error(words)));

  test("arrays that hold the next one twice, thirty deep, are a billion values", () => {
    const octets = Array.from({ length: 30 }, (_, i) => [2, 4, 0x20, (i + 1) * 6, 0x20, (i + 1) * 6]).flat();
    expect(() => check([...octets, ...text("a")])).toThrow("a record has more than 1048576 octets");
  });

  test("records that overlap are not read again and again", () => {
    // From each octet on, an array of all that follow.
    const octets = Array<readonly number[]>(1000).fill([0x1d, 4, 0]).flat();
    const checker = new ValueChecker({
      octets: Buffer.from([...octets, ...Array(3000).fill([1, 7]).flat()]),
      start: 0,
      end: octets.length + 6000,
    });
    const words: string[] = [];
    for (let at = 0; at < octets.length; at += 3) {
      try {
        checker.check(at);
      } catch (error) {
        words.push(error instanceof Error ? error.message : "");
      }
    }
    expect(words).toContain("records overlap, so that there is more to read than the file holds");
  });
});
