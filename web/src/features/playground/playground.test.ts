import { expect, test } from "vitest";

import { asCurl, asJavaScript, asPython } from "./calls";
import { picturesOf, textOf } from "./run";
import { fresh, type JsonSchema, labelOf, plain, shapeOf, split } from "./schema";

const ROOT: JsonSchema = {
  required: ["model"],
  properties: {
    model: { anyOf: [{ type: "string" }, { type: "null" }], description: "Which one." },
    size: { enum: ["a", "b"] },
    n: { anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }] },
    messages: { type: "array", items: { $ref: "#/$defs/Message" } },
  },
  $defs: {
    Message: {
      type: "object",
      required: ["role", "text"],
      properties: { role: { enum: ["system", "user"] }, text: { type: "string" } },
    },
  },
};

const shape = (name: string) => shapeOf(plain(ROOT.properties![name]!, ROOT), name);

test("a field is what it is without the nothing that it may be", () => {
  expect(shape("model")).toEqual({ kind: "text", isLong: false });
  expect(shape("size")).toEqual({ kind: "choice", options: ["a", "b"] });
  expect(shape("n")).toEqual({ kind: "number", isWhole: true, least: 1 });
  expect(shape("messages").kind).toBe("list");
  expect(shapeOf({ type: "object" }, "x")).toEqual({ kind: "json" });
});

test("what is needed stands first, and a new entry has what it must have", () => {
  expect(split(ROOT, ["size"])).toEqual([
    ["model", "size"],
    ["n", "messages"],
  ]);
  expect(fresh({ $ref: "#/$defs/Message" }, ROOT)).toEqual({ role: "user", text: "" });
  expect(labelOf("max_tokens")).toBe("Max tokens");
});

test("the same call in three languages", () => {
  const call = {
    slug: "ingle/template",
    origin: "http://127.0.0.1:4645",
    body: { input: { template: "it's" }, config: {} },
  };
  expect(asCurl(call)).toContain(`"template": "it'\\''s"`);
  expect(asPython(call)).toContain(
    'url = "http://127.0.0.1:4645/api/processors/ingle/template/run"',
  );
  expect(asJavaScript(call)).toContain("console.log((await answer.json()).output)");
  expect(asJavaScript({ ...call, body: { ...call.body, stream: true } })).toContain("TextDecoder");
});

test("an output that is mainly text, or pictures, shows as such", () => {
  expect(textOf({ choices: [{ role: "assistant", content: "Hello" }] })).toBe("Hello");
  expect(textOf({ text: "Hi" })).toBe("Hi");
  expect(textOf({ data: [1] })).toBeNull();
  expect(picturesOf({ data: ["iVBORw0"] })).toEqual(["data:image/png;base64,iVBORw0"]);
});
