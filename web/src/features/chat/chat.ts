import { newId } from "@/lib/ids";
import { Signal } from "@/lib/signal";
import { toastProblem } from "@/ui/Toasts";

import { BrowserStore, type ConversationStore } from "./store";
import {
  branchTo,
  type Conversation,
  type Message,
  requestMessages,
  type Thread,
  titleOf,
  withMessage,
} from "./tree";
import { Writing } from "./writing";

const SAVE_EVERY_MS = 500;

/** What is sent: a text, pictures as data URIs. */
export interface Said {
  text: string;
  images: string[];
}

/** What a new conversation begins with. */
export type Beginning = Pick<Conversation, "model" | "system" | "parameters">;

/**
 * All conversations, and the answers that are being written, whichever screen is open.
 *
 * An answer is saved as it is written. If the page is closed meanwhile, the next one that shows the
 * conversation finds it `cut`, and `continue` lets the model go on from the last character.
 */
export class Chat {
  /** Null until they were read. */
  readonly conversations = new Signal<readonly Conversation[] | null>(null);
  readonly #threads = new Map<string, Signal<Thread | null | undefined>>();
  readonly #opening = new Map<string, Promise<void>>();
  readonly #writing = new Map<string, Writing>();

  constructor(private readonly store: ConversationStore) {
    void this.#list();
    addEventListener("pagehide", () => this.#writing.forEach((one) => this.#keep(one)));
  }

  /** A conversation: `undefined` while it is read, null if there is none. */
  thread(id: string): Signal<Thread | null | undefined> {
    let thread = this.#threads.get(id);
    if (!thread) {
      thread = new Signal<Thread | null | undefined>(undefined);
      this.#threads.set(id, thread);
      this.#opening.set(id, this.#open(id, thread));
    }
    return thread;
  }

  /** The answer with this id as it is being written, if it is. */
  writing(messageId: string): Writing | undefined {
    return this.#writing.get(messageId);
  }

  /** A new conversation with its first message. Returns its id; the answer is begun. */
  begin(said: Said, beginning: Beginning): string {
    const now = Date.now();
    const conversation: Conversation = {
      ...beginning,
      id: newId("chat"),
      title: titleOf(said.text),
      createdAt: now,
      updatedAt: now,
      chosen: {},
    };
    this.#threads.set(conversation.id, new Signal<Thread | null | undefined>(undefined));
    this.#set({ conversation, messages: new Map() });
    this.send(conversation.id, said, null);
    return conversation.id;
  }

  /** Say something after `parent`, and have it answered. */
  send(id: string, said: Said, parent: string | null): void {
    const question = newMessage(id, parent, "user", said);
    this.#put(question);
    this.#answer(id, question.id);
  }

  /** Another answer to what this one follows, as a branch beside it. */
  regenerate(answer: Message): void {
    if (answer.parent) this.#answer(answer.conversation, answer.parent);
  }

  /** Say something else in the place of a message, as a branch beside it. */
  edit(question: Message, text: string): void {
    this.send(question.conversation, { text, images: question.images }, question.parent);
  }

  /** Let the model write on from the last character of an answer that was cut, stopped or full. */
  continue(answer: Message): void {
    this.#write({ ...answer, state: "writing", error: null });
  }

  /** Stop the answers that are being written in a conversation. */
  stop(id: string): void {
    for (const one of this.#writing.values()) {
      if (one.message.get().conversation === id) one.stop();
    }
  }

  /** Show the branch through this message. */
  choose(id: string, messageId: string): void {
    const thread = this.#thread(id);
    const message = thread?.messages.get(messageId);
    if (thread && message) this.#keepThread(withMessage(thread, message));
  }

  /** Change a conversation's title, model, system message or parameters. */
  change(id: string, changed: Partial<Beginning & { title: string }>): void {
    const thread = this.#thread(id);
    if (thread) {
      this.#keepThread({ ...thread, conversation: { ...thread.conversation, ...changed } });
    }
  }

  /** Call a conversation something else, be it open or not. */
  async rename(id: string, title: string): Promise<void> {
    this.thread(id);
    await this.#opening.get(id);
    this.change(id, { title });
  }

  /** Remove a conversation. Returns what brings it back, whole. */
  async remove(id: string): Promise<() => void> {
    this.stop(id);
    const thread = await this.store.get(id);
    await this.store.remove(id);
    this.#threads.get(id)?.set(null);
    this.#listed((all) => all.filter((one) => one.id !== id));
    return () => {
      if (!thread) return;
      this.#set(thread);
      this.store.save(thread.conversation, [...thread.messages.values()]).catch(toastProblem);
    };
  }

  /** The ids of the conversations in which all words of a text were said. */
  search(text: string): Promise<Set<string>> {
    return this.store.search(text);
  }

  async #list(): Promise<void> {
    const found = await this.store.list().catch((error: unknown) => {
      toastProblem(error);
      return [];
    });
    const begun = this.conversations.get() ?? [];
    const known = new Set(begun.map((one) => one.id));
    this.conversations.set([...begun, ...found.filter((one) => !known.has(one.id))]);
  }

  async #open(id: string, thread: Signal<Thread | null | undefined>): Promise<void> {
    const found = await this.store.get(id).catch((error: unknown) => {
      toastProblem(error);
      return null;
    });
    if (thread.get() !== undefined) return;
    if (!found) {
      thread.set(null);
      return;
    }
    const messages = new Map(found.messages);
    for (const message of messages.values()) {
      if (message.state === "writing" && !(await isWrittenElsewhere(message.id))) {
        messages.set(message.id, { ...message, state: "cut" });
      }
    }
    thread.set({ ...found, messages });
  }

  #answer(id: string, parent: string): void {
    const conversation = this.#thread(id)!.conversation;
    const answer = newMessage(id, parent, "assistant", { text: "", images: [] });
    this.#write({ ...answer, model: conversation.model, state: "writing" });
  }

  #write(message: Message): void {
    const writing = new Writing(message);
    this.#writing.set(message.id, writing);
    this.#put(message);
    void this.#run(writing, message);
  }

  async #run(writing: Writing, message: Message): Promise<void> {
    const thread = this.#thread(message.conversation)!;
    const { system, parameters, model } = thread.conversation;
    const branch = branchTo(thread.messages, message.id);
    const saving = setInterval(() => this.#keep(writing), SAVE_EVERY_MS);
    const messages = requestMessages(system, branch);
    const done = await whileHeld(message.id, () =>
      writing.run({ ...parameters, model: model ?? "", messages }),
    );
    clearInterval(saving);
    this.#writing.delete(message.id);
    if (this.#thread(message.conversation)) this.#put(done, false);
  }

  #thread(id: string): Thread | null | undefined {
    return this.#threads.get(id)?.get();
  }

  /** Show and save a message; its conversation is the newest then. */
  #put(message: Message, isChosen = true): void {
    const before = this.#thread(message.conversation)!;
    const after = withMessage(before, message);
    const chosen = isChosen ? after.conversation.chosen : before.conversation.chosen;
    const conversation = { ...before.conversation, chosen, updatedAt: Date.now() };
    this.#set({ conversation, messages: after.messages });
    this.store.save(conversation, [message]).catch(toastProblem);
  }

  #keep(writing: Writing): void {
    const message = writing.message.get();
    const thread = this.#thread(message.conversation);
    if (thread) this.store.save(thread.conversation, [message]).catch(() => undefined); // and again
  }

  #keepThread(thread: Thread): void {
    this.#set(thread);
    this.store.save(thread.conversation).catch(toastProblem);
  }

  #set(thread: Thread): void {
    const { conversation } = thread;
    this.thread(conversation.id).set(thread);
    this.#listed((all) =>
      [conversation, ...all.filter((one) => one.id !== conversation.id)].sort(
        (one, other) => other.updatedAt - one.updatedAt,
      ),
    );
  }

  #listed(change: (all: readonly Conversation[]) => readonly Conversation[]): void {
    this.conversations.set(change(this.conversations.get() ?? []));
  }
}

function newMessage(
  conversation: string,
  parent: string | null,
  role: Message["role"],
  said: Said,
): Message {
  return {
    id: newId("message"),
    conversation,
    parent,
    role,
    ...said,
    reasoning: "",
    toolCalls: [],
    model: null,
    state: "done",
    error: null,
    stats: null,
    createdAt: Date.now(),
  };
}

const lockOf = (messageId: string) => `ingle.writing.${messageId}`;

/** Work on a message so that other tabs see that someone does. Without https there are no locks. */
async function whileHeld<T>(messageId: string, work: () => Promise<T>): Promise<T> {
  if (!("locks" in navigator)) return work();
  return navigator.locks.request(lockOf(messageId), work);
}

/** Whether another tab is writing this message. */
async function isWrittenElsewhere(messageId: string): Promise<boolean> {
  if (!("locks" in navigator)) return false;
  return navigator.locks.request(lockOf(messageId), { ifAvailable: true }, (lock) => !lock);
}

/** The page's one chat. */
export const chat = new Chat(new BrowserStore());
