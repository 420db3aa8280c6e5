import { type ChatPiece, streamChat, type ChatRequest } from "@/api/chat";
import { asProblem, isAbort } from "@/lib/problem";
import { Signal } from "@/lib/signal";

import type { Message, ToolCall } from "./tree";

/** An answer being written: the message as it is now, at most once for each frame of the screen. */
export class Writing {
  readonly message: Signal<Message>;
  readonly #abort = new AbortController();
  #now: Message;
  #frame = 0;

  constructor(message: Message) {
    this.#now = message;
    this.message = new Signal(message);
  }

  /** Stop the model; what has come stays. */
  stop(): void {
    this.#abort.abort();
  }

  /** Write to the end, whichever it is, and return the message then. Never throws. */
  async run(request: ChatRequest): Promise<Message> {
    const before = this.#now.stats?.completionTokens ?? 0;
    let firstAt = 0;
    let pieces = 0;
    try {
      for await (const piece of streamChat(request, this.#abort.signal)) {
        firstAt ||= performance.now();
        pieces += 1;
        this.#now = withPiece(this.#now, piece, before);
        if (piece.kind === "usage" && piece.tokensPerS === null && this.#now.stats) {
          const seconds = (performance.now() - firstAt) / 1000;
          const tokensPerS = seconds > 0.2 ? piece.completion / seconds : null;
          this.#now = { ...this.#now, stats: { ...this.#now.stats, tokensPerS } };
        }
        this.#show();
      }
      if (this.#now.state === "writing") this.#now = { ...this.#now, state: "done" };
    } catch (error) {
      this.#now = isAbort(error)
        ? { ...this.#now, state: "stopped", stats: this.#now.stats ?? stoppedStats(pieces) }
        : { ...this.#now, state: "failed", error: asProblem(error).message };
    }
    cancelAnimationFrame(this.#frame);
    this.message.set(this.#now);
    return this.#now;
  }

  #show(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.message.set(this.#now);
    });
  }
}

/** The message with one more piece; `before` is how many tokens it had when it was continued. */
export function withPiece(message: Message, piece: ChatPiece, before = 0): Message {
  switch (piece.kind) {
    case "text":
      return { ...message, text: message.text + piece.text };
    case "reasoning":
      return { ...message, reasoning: message.reasoning + piece.text };
    case "tool":
      return { ...message, toolCalls: withCall(message.toolCalls, piece) };
    case "finish":
      return { ...message, state: piece.reason === "length" ? "full" : "done" };
    case "usage":
      return {
        ...message,
        stats: {
          completionTokens: before + piece.completion,
          contextTokens: piece.prompt + piece.completion,
          tokensPerS: piece.tokensPerS,
        },
      };
  }
}

function withCall(calls: ToolCall[], piece: ChatPiece & { kind: "tool" }): ToolCall[] {
  const changed = [...calls];
  const call = changed[piece.index] ?? { name: "", arguments: "" };
  changed[piece.index] = {
    name: call.name + piece.name,
    arguments: call.arguments + piece.arguments,
  };
  return changed;
}

function stoppedStats(pieces: number) {
  return { completionTokens: pieces, contextTokens: 0, tokensPerS: null };
}
