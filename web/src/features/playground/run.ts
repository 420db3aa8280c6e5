import { queryOptions } from "@tanstack/react-query";

import { client, dataOf, type Schema, send } from "@/api/client";
import { Problem, problemOf } from "@/lib/problem";
import { readEvents } from "@/lib/sse";

import type { Call } from "./calls";

export type Processor = Schema<"ProcessorDescription">;

/** All processors by `provider/name`. */
export const processorsQuery = queryOptions({
  queryKey: ["processors"],
  queryFn: () => dataOf(client.GET("/api/processors")),
  staleTime: Infinity,
});

/** One processor with its schemas. */
export const processorQuery = (slug: string) =>
  queryOptions({
    queryKey: ["processors", slug],
    queryFn: () => {
      const [provider = "", processor = ""] = slug.split("/");
      return dataOf(
        client.GET("/api/processors/{provider}/{processor}", {
          params: { path: { provider, processor } },
        }),
      );
    },
    staleTime: Infinity,
  });

/** What comes of a run: text as it is written, and the whole at its end. */
export type RunEvent = { kind: "text"; text: string } | { kind: "output"; output: unknown };

/** Run a processor. Aborting the signal stops it. Throws a `Problem` when it fails, also midway. */
export async function* run({ slug, body }: Call, signal: AbortSignal): AsyncGenerator<RunEvent> {
  const response = await send(`/api/processors/${slug}/run`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  if (!body.stream) {
    const answer = (await response.json()) as Schema<"RunAnswer">;
    yield { kind: "output", output: answer.output };
    return;
  }
  for await (const event of readEvents(response.body!)) {
    const data = JSON.parse(event.data) as { text?: string };
    if (event.event === "error") throw problemOf(data, response.status);
    if (event.event === "output") {
      yield { kind: "output", output: data };
      return;
    }
    if (data.text) yield { kind: "text", text: data.text };
  }
  throw new Problem(
    "The run broke off: the connection to Ingle ended before its output. Run it again.",
    "upstream_cut",
  );
}

/** The text of an output, where it is mainly one; else null. */
export function textOf(output: unknown): string | null {
  if (typeof output !== "object" || output === null) return null;
  const { choices, text, result } = output as Record<string, unknown>;
  if (typeof text === "string") return text;
  if (typeof result === "string") return result;
  if (!Array.isArray(choices)) return null;
  const said = choices.map((one: { content?: unknown; text?: unknown } | string) =>
    typeof one === "string" ? one : (one.content ?? one.text),
  );
  return said.every((one) => typeof one === "string") ? said.join("\n\n") : null;
}

/** The pictures of an output, as addresses an `<img>` takes. */
export function picturesOf(output: unknown): string[] {
  if (typeof output !== "object" || output === null) return [];
  const { data } = output as Record<string, unknown>;
  if (!Array.isArray(data)) return [];
  return data.flatMap((one: unknown) => {
    if (typeof one !== "string") return [];
    if (one.startsWith("data:image/")) return [one];
    return /^(iVBOR|\/9j\/|UklGR)/.test(one) ? [`data:image/png;base64,${one}`] : [];
  });
}
