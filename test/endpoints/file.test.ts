/** Files of the endpoints web service: what is read, and each error with its place. */

import { describe, expect, test } from "vitest";
import { formatConfigError } from "../../src/config/load.ts";
import { readEndpoints } from "../../src/endpoints/file.ts";

const good = '"id": 1, "serviceArea": "Exchange", "category": "Optimize", "required": true';
const errorsIn = (text: string): readonly string[] => {
  const read = readEndpoints("endpoints.json", text);
  return read.kind === "errors"
    ? read.errors.map((error) => formatConfigError(error).split("\n", 1)[0] ?? "")
    : [];
};

describe("an error has its place", () => {
  test.each<readonly [what: string, text: string, errors: readonly string[]]>([
    [
      "no JSON",
      "[\n  { id: 1 }\n]",
      ["endpoints.json:2:5: this is not JSON: expected a key in double quotes, found id"],
    ],
    [
      "a page instead",
      "<!DOCTYPE html>",
      ["endpoints.json:1:1: this is not JSON: expected a value, found <"],
    ],
    [
      "the answer of another method",
      '{ "instance": "Worldwide", "latest": "2023073100" }',
      ["endpoints.json:1:1: the endpoints web service gives a list of records: expected a list, found a map"],
    ],
    [
      "nothing",
      "[]",
      [
        "endpoints.json:1:1: the endpoints web service gives a list of records: expected a list of at least 1, found a list of 0",
      ],
    ],
    ["no record", "[1]", ["endpoints.json:1:2: [0]: expected a map, found 1"]],
    [
      "a name with a scheme",
      `[\n  { ${good},\n    "urls": ["a.example", "https://b.example"] }\n]`,
      [
        'endpoints.json:3:27: [0].urls[1] (id 1): "https://b.example" is no name, nor one with * or <tenant> in it',
      ],
    ],
    [
      "host bits",
      `[{ ${good}, "ips": ["10.1.2.3/16"] }]`,
      [
        'endpoints.json:1:90: [0].ips[0] (id 1): "10.1.2.3/16" has bits set behind its prefix length; did you mean 10.1.0.0/16?',
      ],
    ],
    [
      "urls as one text",
      `[{ ${good}, "urls": "a.example" }]`,
      ['endpoints.json:1:90: [0].urls (id 1): expected a list, found "a.example"'],
    ],
    [
      "neither names nor addresses",
      `[{ ${good}, "url": ["a.example"] }]`,
      ["endpoints.json:1:2: [0] (id 1): the record has neither urls nor ips"],
    ],
    [
      "several at once, in the order of the file",
      `[{ "id": "1", "urls": ["a.example"], "category": "Optimise",\n "tcpPorts": "http", "serviceArea": "Common" }]`,
      [
        'endpoints.json:1:2: [0].required: "required" is missing here; expected true or false',
        'endpoints.json:1:10: [0].id: expected a number, found "1"',
        'endpoints.json:1:50: [0].category: expected Optimize, Allow or Default, found "Optimise"; did you mean "Optimize"?',
        'endpoints.json:2:14: [0].tcpPorts: expected ports like 80,443, found "http"',
      ],
    ],
    [
      "an id twice",
      `[{ ${good}, "urls": ["a.example"] },\n { ${good}, "urls": ["b.example"] }]`,
      ["endpoints.json:2:10: [1].id: 1 is that of record [0] already"],
    ],
  ])("%s", (_what, text, errors) => {
    expect(errorsIn(text)).toEqual(errors);
  });

  test("and shows its line", () => {
    const read = readEndpoints("endpoints.json", `[{ ${good},\r\n\t"urls": ["a b"] }]`);
    expect(read.kind === "errors" && read.errors.map(formatConfigError)).toEqual([
      'endpoints.json:2:11: [0].urls[0] (id 1): "a b" is no name, nor one with * or <tenant> in it\n' +
        '  \t"urls": ["a b"] }]\n' +
        "  \t         ^",
    ]);
  });
});

test("fields that are empty may be left out, and there may be new ones", () => {
  const read = readEndpoints("endpoints.json", `[{ ${good}, "urls": ["*.a.example"], "colour": "blue" }]`);
  expect(read.kind === "endpoints" && read.sets).toMatchObject([
    { id: 1, serviceArea: "Exchange", category: "Optimize", required: true, ips: [] },
  ]);
});
