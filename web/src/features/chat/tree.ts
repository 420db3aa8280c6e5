import type { ChatMessage, ChatParameters, ContentPart } from "@/api/chat";

/** A call that the model wants made, its arguments as it wrote them. */
export interface ToolCall {
  name: string;
  arguments: string;
}

/** What an answer took. `contextTokens` is what of the context window it fills with its prompt. */
export interface Stats {
  completionTokens: number;
  contextTokens: number;
  tokensPerS: number | null;
}

/**
 * `writing`: being written; `cut`: it was, when the page was closed; `stopped`: by who reads it;
 * `full`: at the most tokens that it may have; `failed`: see `error`.
 */
export type MessageState = "done" | "writing" | "cut" | "stopped" | "full" | "failed";

export interface Message {
  id: string;
  conversation: string;
  /** What it follows; null begins the conversation. */
  parent: string | null;
  role: "user" | "assistant";
  text: string;
  /** As data URIs. */
  images: string[];
  reasoning: string;
  toolCalls: ToolCall[];
  model: string | null;
  state: MessageState;
  error: string | null;
  stats: Stats | null;
  createdAt: number;
}

export interface Conversation {
  id: string;
  title: string;
  createdAt: number;
  updatedAt: number;
  model: string | null;
  system: string;
  parameters: ChatParameters;
  /** Which child is shown where a message has several, by the parent's id; "" is the beginning. */
  chosen: Record<string, string>;
}

/** A conversation with all that was said in it, on every branch. */
export interface Thread {
  conversation: Conversation;
  messages: ReadonlyMap<string, Message>;
}

/** The messages by what they follow, each list in the order of its making. */
export function childrenOf(messages: ReadonlyMap<string, Message>): ReadonlyMap<string, string[]> {
  const children = new Map<string, string[]>();
  for (const message of messages.values()) {
    const siblings = children.get(message.parent ?? "");
    if (siblings) siblings.push(message.id);
    else children.set(message.parent ?? "", [message.id]);
  }
  return children;
}

/** A message that is shown, with its place among those that follow the same one. */
export interface Shown {
  message: Message;
  /** The ids of all that could stand here, itself among them. */
  siblings: readonly string[];
}

/** The branch that is shown, from the beginning to its end. Where none was chosen, the newest. */
export function shownBranch({ conversation, messages }: Thread): Shown[] {
  const children = childrenOf(messages);
  const branch: Shown[] = [];
  let at = "";
  for (;;) {
    const siblings = children.get(at);
    if (!siblings) return branch;
    const chosen = conversation.chosen[at];
    const id = chosen !== undefined && siblings.includes(chosen) ? chosen : siblings.at(-1)!;
    branch.push({ message: messages.get(id)!, siblings });
    at = id;
  }
}

/** The messages that lead to this one, itself last. */
export function branchTo(messages: ReadonlyMap<string, Message>, id: string | null): Message[] {
  const branch: Message[] = [];
  for (let at = id; at !== null;) {
    const message = messages.get(at);
    if (!message) break;
    branch.push(message);
    at = message.parent;
  }
  return branch.reverse();
}

/** The thread with a message, new or in the place of itself, and with its branch chosen. */
export function withMessage({ conversation, messages }: Thread, message: Message): Thread {
  return {
    conversation: {
      ...conversation,
      chosen: { ...conversation.chosen, [message.parent ?? ""]: message.id },
    },
    messages: new Map(messages).set(message.id, message),
  };
}

/** What is sent to the model: the system message and the branch; what failed unsaid is left out. */
export function requestMessages(system: string, branch: readonly Message[]): ChatMessage[] {
  const said = branch.filter((message) => message.role === "user" || message.text);
  const messages: ChatMessage[] = said.map(({ role, text, images }) => ({
    role,
    content: images.length ? contentParts(text, images) : text,
  }));
  return system.trim() ? [{ role: "system", content: system }, ...messages] : messages;
}

function contentParts(text: string, images: readonly string[]): ContentPart[] {
  const pictures = images.map((url) => ({ type: "image_url" as const, image_url: { url } }));
  return text ? [...pictures, { type: "text", text }] : pictures;
}

/** What a conversation is called until someone names it: how its first message begins. */
export function titleOf(text: string): string {
  const line = text.trim().split("\n")[0] ?? "";
  return line.length > 60 ? `${line.slice(0, 59).trimEnd()}…` : line || "New chat";
}
