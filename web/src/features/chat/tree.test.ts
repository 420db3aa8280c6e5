import { describe, expect, it } from "vitest";

import {
  branchTo,
  type Conversation,
  type Message,
  requestMessages,
  shownBranch,
  type Thread,
  titleOf,
  withMessage,
} from "./tree";
import { withPiece } from "./writing";

const CONVERSATION: Conversation = {
  id: "c",
  title: "",
  createdAt: 0,
  updatedAt: 0,
  model: "demo",
  system: "",
  parameters: {},
  chosen: {},
};

function message(id: string, parent: string | null, text = id): Message {
  const role = id.startsWith("q") ? "user" : "assistant";
  return {
    id,
    conversation: "c",
    parent,
    role,
    text,
    images: [],
    reasoning: "",
    toolCalls: [],
    model: null,
    state: "done",
    error: null,
    stats: null,
    createdAt: 0,
  };
}

function thread(...messages: Message[]): Thread {
  const empty: Thread = { conversation: CONVERSATION, messages: new Map() };
  return messages.reduce(withMessage, empty);
}

const ids = (shown: Thread) => shownBranch(shown).map((one) => one.message.id);

describe("branches", () => {
  const both = thread(
    message("q1", null),
    message("a1", "q1"),
    message("q2", "a1"),
    message("a2", "q2"),
    message("q2b", "a1"),
    message("a2b", "q2b"),
  );

  it("shows the newest branch after an edit, and keeps the one before", () => {
    expect(ids(both)).toEqual(["q1", "a1", "q2b", "a2b"]);
    expect(shownBranch(both)[2]?.siblings).toEqual(["q2", "q2b"]);
  });

  it("shows the branch that was chosen, to its own end", () => {
    expect(ids(withMessage(both, both.messages.get("q2")!))).toEqual(["q1", "a1", "q2", "a2"]);
  });

  it("has several beginnings when the first message was edited", () => {
    const edited = withMessage(both, message("q0", null));
    expect(ids(edited)).toEqual(["q0"]);
    expect(shownBranch(edited)[0]?.siblings).toEqual(["q1", "q0"]);
  });

  it("leads to any message, whichever branch is shown", () => {
    const led = branchTo(both.messages, "a2").map((one) => one.id);
    expect(led).toEqual(["q1", "a1", "q2", "a2"]);
  });

  it("shows ten thousand messages at once without delay", () => {
    const messages = new Map<string, Message>();
    for (let index = 0; index < 10_000; index += 1) {
      const id = `q${index}`;
      messages.set(id, message(id, index ? `q${index - 1}` : null));
    }
    expect(shownBranch({ conversation: CONVERSATION, messages })).toHaveLength(10_000);
  });
});

describe("requestMessages", () => {
  it("puts the system message first and leaves out an answer that said nothing", () => {
    const branch = [message("q1", null, "Hi"), message("a1", "q1", ""), message("q2", "a1", "Hi?")];
    expect(requestMessages("Be kind.", branch)).toEqual([
      { role: "system", content: "Be kind." },
      { role: "user", content: "Hi" },
      { role: "user", content: "Hi?" },
    ]);
  });

  it("sends pictures as parts before the text", () => {
    const seen = { ...message("q1", null, "What is it?"), images: ["data:image/png;base64,AA=="] };
    expect(requestMessages("", [seen])[0]?.content).toEqual([
      { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
      { type: "text", text: "What is it?" },
    ]);
  });
});

describe("withPiece", () => {
  it("folds an answer's pieces into the message", () => {
    const written = [
      { kind: "reasoning", text: "Hm." } as const,
      { kind: "text", text: "On" } as const,
      { kind: "text", text: "e" } as const,
      { kind: "tool", index: 0, name: "add", arguments: '{"a"' } as const,
      { kind: "tool", index: 0, name: "", arguments: ":1}" } as const,
      { kind: "finish", reason: "length" } as const,
      { kind: "usage", prompt: 10, completion: 5, tokensPerS: 50 } as const,
    ].reduce((before, piece) => withPiece(before, piece, 3), message("a1", "q1", ""));
    expect(written).toMatchObject({
      text: "One",
      reasoning: "Hm.",
      toolCalls: [{ name: "add", arguments: '{"a":1}' }],
      state: "full",
      stats: { completionTokens: 8, contextTokens: 15, tokensPerS: 50 },
    });
  });
});

describe("titleOf", () => {
  it("is how the first line begins", () => {
    expect(titleOf("  What is Ingle?\nTell me.")).toBe("What is Ingle?");
    expect(titleOf("a".repeat(80))).toBe(`${"a".repeat(59)}…`);
    expect(titleOf("")).toBe("New chat");
  });
});
