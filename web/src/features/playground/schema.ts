/** A JSON Schema, as far as our processors' schemas go and the form reads it. */
export interface JsonSchema {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: readonly unknown[];
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  properties?: Record<string, JsonSchema>;
  required?: readonly string[];
  items?: JsonSchema;
  anyOf?: readonly JsonSchema[];
  oneOf?: readonly JsonSchema[];
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
}

export type Values = Record<string, unknown>;

/** What to show for a schema: one control, or a list or object of them, or JSON for all else. */
export type Shape =
  | { kind: "text"; isLong: boolean }
  | { kind: "file" }
  | { kind: "number"; isWhole: boolean; least?: number; most?: number }
  | { kind: "switch" }
  | { kind: "choice"; options: readonly string[] }
  | { kind: "list"; item: JsonSchema }
  | { kind: "group"; schema: JsonSchema }
  | { kind: "json" };

/** The schema itself: references followed, and of "this or nothing" and several forms the plainest. */
export function plain(schema: JsonSchema, root: JsonSchema): JsonSchema {
  if (schema.$ref) {
    const found = root.$defs?.[schema.$ref.replace("#/$defs/", "")] ?? {};
    return plain({ ...found, ...without(schema, "$ref") }, root);
  }
  const forms = (schema.anyOf ?? schema.oneOf)?.filter((one) => one.type !== "null");
  if (!forms?.length) return schema;
  const first =
    forms.find((one) => one.type === "string") ?? (forms.length === 1 ? forms[0] : null);
  const rest = without(without(schema, "anyOf"), "oneOf");
  return first ? plain({ ...first, ...rest }, root) : rest;
}

function without(schema: JsonSchema, key: keyof JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== key));
}

const LONG = /message|prompt|text|content|template|document/;

/** How a plain schema is filled in; `name` is the field's. */
export function shapeOf(schema: JsonSchema, name: string): Shape {
  if (schema.enum?.every((one) => typeof one === "string")) {
    return { kind: "choice", options: schema.enum };
  }
  switch (schema.type) {
    case "string":
      if (/^(data-url|binary|data-uri)$/.test(schema.format ?? "")) return { kind: "file" };
      return { kind: "text", isLong: LONG.test(name) };
    case "integer":
    case "number": {
      const least = schema.minimum;
      const most = schema.maximum;
      return {
        kind: "number",
        isWhole: schema.type === "integer",
        ...(least !== undefined && { least }),
        ...(most !== undefined && { most }),
      };
    }
    case "boolean":
      return { kind: "switch" };
    case "array":
      return schema.items ? { kind: "list", item: schema.items } : { kind: "json" };
    case "object":
      return schema.properties ? { kind: "group", schema } : { kind: "json" };
    case undefined: // anything: mostly a text; what is none shows as JSON
      return { kind: "text", isLong: true };
    default:
      return { kind: "json" };
  }
}

/** The fields in two parts: what most calls need, and the rest. */
export function split(schema: JsonSchema, first: readonly string[]): [string[], string[]] {
  const names = Object.keys(schema.properties ?? {});
  const needed = (name: string) => schema.required?.includes(name) || first.includes(name);
  return [names.filter(needed), names.filter((name) => !needed(name))];
}

/** `max_tokens` as "Max tokens". */
export function labelOf(name: string): string {
  const words = name.replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What a new entry of a list holds: its defaults, and the first choice of what it needs. */
export function fresh(schema: JsonSchema, root: JsonSchema): unknown {
  const known = plain(schema, root);
  if (known.type === "string") return "";
  if (known.type !== "object") return known.default ?? null;
  const made: Values = {};
  for (const [name, raw] of Object.entries(known.properties ?? {})) {
    const one = plain(raw, root);
    if (one.const !== undefined) made[name] = one.const;
    else if (known.required?.includes(name)) {
      made[name] = one.enum ? (one.enum.includes("user") ? "user" : one.enum[0]) : fresh(raw, root);
    }
  }
  return made;
}
