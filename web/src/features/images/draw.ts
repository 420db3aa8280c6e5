import { send } from "@/api/client";
import { Problem, problemOf } from "@/lib/problem";
import { readEvents } from "@/lib/sse";

import type { Wish } from "./store";

/** What comes while a picture is made, and at its end. */
export type DrawEvent =
  | { kind: "progress"; step: number; steps: number }
  | { kind: "partial"; data: string }
  | { kind: "picture"; data: string; seed: string };

/** How far the picture is that is being made. */
export interface Drawing {
  prompt: string;
  step: number;
  steps: number;
  /** What it looks like so far, as base64. */
  data: string | null;
}

interface Told {
  error?: unknown;
  type?: string;
  step?: number;
  steps?: number;
  b64_json?: string;
  seed?: number;
}

interface Whole {
  data?: { b64_json?: string; seed?: number }[];
  seed?: number;
}

/**
 * Have one picture made, and see it come. Aborting the signal stops the drawing.
 *
 * A server that does not stream answers with the whole; that comes out as its end.
 */
export async function* draw(wish: Wish, signal: AbortSignal): AsyncGenerator<DrawEvent> {
  const body = {
    prompt: wish.prompt,
    response_format: "b64_json",
    stream: true,
    partial_images: 3,
    ...(wish.model && { model: wish.model }),
    ...(wish.size !== "auto" && { size: wish.size }),
    ...(wish.steps && { steps: Number(wish.steps) }),
    ...(wish.seed && { seed: Number(wish.seed) }),
  };
  const response = await send("/v1/images/generations", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.headers.get("content-type")?.includes("event-stream")) {
    const whole = (await response.json()) as Whole;
    const data = whole.data?.[0]?.b64_json;
    if (!data) throw new Problem("The server answered without a picture.", "upstream_invalid");
    yield { kind: "picture", data, seed: String(whole.data?.[0]?.seed ?? whole.seed ?? wish.seed) };
    return;
  }
  for await (const event of readEvents(response.body!)) {
    if (event.data === "[DONE]") break;
    const told = JSON.parse(event.data) as Told;
    if (told.error) throw problemOf(told, response.status);
    const type = told.type ?? event.event;
    if (type.endsWith(".progress")) {
      yield { kind: "progress", step: told.step ?? 0, steps: told.steps ?? 1 };
    } else if (type.endsWith(".partial_image") && told.b64_json) {
      yield { kind: "partial", data: told.b64_json };
    } else if (type.endsWith(".completed") && told.b64_json) {
      yield { kind: "picture", data: told.b64_json, seed: String(told.seed ?? wish.seed) };
      return;
    }
  }
  throw new Problem(
    "The drawing broke off: the connection ended before the picture was whole. Try again.",
    "upstream_cut",
  );
}

/** A base64 text as the picture's file. */
export function pictureFile(data: string): Blob {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}
