import { Problem, problemOf } from "@/lib/problem";
import { readEvents } from "@/lib/sse";

import { send } from "./client";

/** A part of a message's content, as OpenAI's API has it. */
export type ContentPart =
  { type: "text"; text: string } | { type: "image_url"; image_url: { url: string } };

export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool";
  content: string | ContentPart[];
}

/** What a request may set; what is left out is the model's own. */
export interface ChatParameters {
  temperature?: number;
  top_p?: number;
  max_tokens?: number;
  seed?: number;
}

export interface ChatRequest extends ChatParameters {
  model: string;
  messages: ChatMessage[];
}

/** What an answer is made of, in the order that it comes. */
export type ChatPiece =
  | { kind: "text"; text: string }
  | { kind: "reasoning"; text: string }
  | { kind: "tool"; index: number; name: string; arguments: string }
  | { kind: "finish"; reason: string }
  | { kind: "usage"; prompt: number; completion: number; tokensPerS: number | null };

interface Chunk {
  error?: unknown;
  choices?: {
    finish_reason?: string | null;
    delta?: {
      content?: string | null;
      reasoning_content?: string | null;
      reasoning?: string | null;
      tool_calls?: { index?: number; function?: { name?: string; arguments?: string } }[];
    };
  }[];
  usage?: { prompt_tokens?: number; completion_tokens?: number } | null;
  timings?: { predicted_per_second?: number };
}

/**
 * Ask a model, and get its answer piece by piece.
 *
 * Aborting the signal, or leaving the loop, stops the model. Throws a `Problem` when the answer
 * fails, also midway, and when it ends without its end.
 */
export async function* streamChat(
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<ChatPiece> {
  const body = { ...request, stream: true, stream_options: { include_usage: true } };
  const response = await send("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  for await (const event of readEvents(response.body!)) {
    if (event.data === "[DONE]") return;
    const chunk = JSON.parse(event.data) as Chunk;
    if (chunk.error) throw problemOf(chunk, response.status);
    yield* piecesOf(chunk);
  }
  throw new Problem(
    "The answer broke off: the connection to Ingle ended. What had come is kept; try again.",
    "upstream_cut",
  );
}

function* piecesOf(chunk: Chunk): Generator<ChatPiece> {
  const choice = chunk.choices?.[0];
  const delta = choice?.delta;
  const reasoning = delta?.reasoning_content ?? delta?.reasoning;
  if (reasoning) yield { kind: "reasoning", text: reasoning };
  if (delta?.content) yield { kind: "text", text: delta.content };
  for (const call of delta?.tool_calls ?? []) {
    yield {
      kind: "tool",
      index: call.index ?? 0,
      name: call.function?.name ?? "",
      arguments: call.function?.arguments ?? "",
    };
  }
  if (choice?.finish_reason) yield { kind: "finish", reason: choice.finish_reason };
  if (chunk.usage) {
    yield {
      kind: "usage",
      prompt: chunk.usage.prompt_tokens ?? 0,
      completion: chunk.usage.completion_tokens ?? 0,
      tokensPerS: chunk.timings?.predicted_per_second ?? null,
    };
  }
}
