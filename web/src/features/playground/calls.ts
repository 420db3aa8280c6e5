/** A call of a processor, as it goes over the wire. */
export interface Call {
  slug: string;
  origin: string;
  body: { input: Record<string, unknown>; config: Record<string, unknown>; stream?: boolean };
}

/** Long files inside would hide the call: they are cut, and said to be. */
function shown(body: unknown, indent: number): string {
  return JSON.stringify(
    body,
    (_, value: unknown) =>
      typeof value === "string" && value.startsWith("data:") && value.length > 120
        ? `${value.slice(0, 60)}…`
        : value,
    indent,
  );
}

/** The call as curl has it. */
export function asCurl({ slug, origin, body }: Call): string {
  const data = shown(body, 2).replaceAll("'", "'\\''");
  const flag = body.stream ? " -N" : "";
  return `curl${flag} ${origin}/api/processors/${slug}/run \\
  -H 'Content-Type: application/json' \\
  -d '${data}'`;
}

/** The call in Python, which needs nothing more. */
export function asPython({ slug, origin, body }: Call): string {
  const head = `import json
from urllib.request import Request, urlopen

body = json.loads(r"""
${shown(body, 2)}
""")
url = "${origin}/api/processors/${slug}/run"
call = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
`;
  if (!body.stream) {
    return `${head}
with urlopen(call) as answer:
    print(json.load(answer)["output"])
`;
  }
  return `${head}
with urlopen(call) as answer:
    for line in answer:
        if line.startswith(b"data: "):
            print(json.loads(line.removeprefix(b"data: ")))
`;
}

/** The call in JavaScript, with what browsers and Node have. */
export function asJavaScript({ slug, origin, body }: Call): string {
  const head = `const answer = await fetch("${origin}/api/processors/${slug}/run", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(${shown(body, 2).replaceAll("\n", "\n  ")}),
});
if (!answer.ok) throw new Error(await answer.text());
`;
  if (!body.stream) return `${head}console.log((await answer.json()).output);\n`;
  return `${head}const decoder = new TextDecoder();
for await (const piece of answer.body) {
  console.log(decoder.decode(piece, { stream: true }));
}
`;
}
