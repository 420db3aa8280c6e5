import {
  ChevronLeft,
  ChevronRight,
  CircleAlert,
  Pencil,
  Play,
  RefreshCw,
  Wrench,
} from "lucide-react";
import { memo, type ReactNode, useState } from "react";

import { Signal, useSignal } from "@/lib/signal";
import { Button, IconButton } from "@/ui/Button";
import { CodeView } from "@/ui/CodeView";
import { CopyButton } from "@/ui/CopyButton";
import { TextArea } from "@/ui/Field";
import { Markdown } from "@/ui/Markdown";

import { chat } from "./chat";
import styles from "./MessageView.module.css";
import { StatsLine } from "./StatsLine";
import type { Message, Shown } from "./tree";

interface MessageViewProps {
  shown: Shown;
  isLast: boolean;
}

/** One message with what can be done with it. */
export const MessageView = memo(
  function MessageView({ shown, isLast }: MessageViewProps) {
    return shown.message.role === "user" ? (
      <Question shown={shown} />
    ) : (
      <Answer shown={shown} isLast={isLast} />
    );
  },
  (before, after) =>
    before.shown.message === after.shown.message &&
    before.isLast === after.isLast &&
    before.shown.siblings.length === after.shown.siblings.length,
);

function Question({ shown }: { shown: Shown }) {
  const { message } = shown;
  const [isEditing, setEditing] = useState(false);
  if (isEditing) return <Editor message={message} onClose={() => setEditing(false)} />;
  return (
    <article className={styles.question} aria-label="You">
      {message.images.length > 0 && (
        <div className={styles.images}>
          {message.images.map((image) => (
            <img key={image} src={image} alt="Sent with the message" />
          ))}
        </div>
      )}
      {message.text && <p className={styles.said}>{message.text}</p>}
      <Actions shown={shown}>
        <IconButton size="s" label="Edit" icon={<Pencil />} onClick={() => setEditing(true)} />
        <CopyButton text={message.text} />
      </Actions>
    </article>
  );
}

function Editor({ message, onClose }: { message: Message; onClose: () => void }) {
  const [text, setText] = useState(message.text);
  const save = () => {
    onClose();
    if (text.trim()) chat.edit(message, text);
  };
  return (
    <form
      className={styles.editor}
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <TextArea
        aria-label="Edit your message"
        autoFocus
        rows={Math.min(12, text.split("\n").length + 1)}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onClose();
          if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            save();
          }
        }}
      />
      <div className={styles.editing}>
        <span>What was said before stays as a branch of its own.</span>
        <Button size="s" onClick={onClose}>
          Cancel
        </Button>
        <Button size="s" kind="primary" type="submit" disabled={!text.trim()}>
          Send
        </Button>
      </div>
    </form>
  );
}

const NOTHING = new Signal<Message | null>(null);

function Answer({ shown, isLast }: MessageViewProps) {
  const live = useSignal<Message | null>(chat.writing(shown.message.id)?.message ?? NOTHING);
  const message = live ?? shown.message;
  const isWriting = message.state === "writing";
  const hasBegun = message.text || message.reasoning || message.toolCalls.length > 0;
  return (
    <article
      className={styles.answer}
      aria-label={`Answer of ${message.model ?? "the model"}`}
      aria-busy={isWriting}
    >
      {message.reasoning && (
        <details className={styles.reasoning}>
          <summary>{isWriting && !message.text ? "Thinking…" : "Thoughts"}</summary>
          <Markdown text={message.reasoning} />
        </details>
      )}
      {message.text && <Markdown text={message.text} />}
      {message.toolCalls.map((call, index) => (
        <details key={index} className={styles.tool}>
          <summary>
            <Wrench aria-hidden />
            Wants to call <code>{call.name}</code>
          </summary>
          <CodeView code={pretty(call.arguments)} language="json" title="Arguments" />
        </details>
      ))}
      {isWriting && !hasBegun && (
        <p className={styles.waiting}>
          <span className={styles.ember} aria-hidden />
          <span className="visually-hidden">Waiting for the model</span>
        </p>
      )}
      <Ending message={message} />
      {!isWriting && (
        <Actions shown={shown} isShown={isLast}>
          <CopyButton text={message.text} />
          <IconButton
            size="s"
            label="Answer again"
            icon={<RefreshCw />}
            onClick={() => chat.regenerate(message)}
          />
          <StatsLine message={message} />
        </Actions>
      )}
    </article>
  );
}

/** How an answer ended, where that was not by itself, and how it goes on. */
function Ending({ message }: { message: Message }) {
  const again = (
    <Button size="s" icon={<RefreshCw />} onClick={() => chat.regenerate(message)}>
      Answer again
    </Button>
  );
  const further = message.text && (
    <Button size="s" icon={<Play />} onClick={() => chat.continue(message)}>
      Continue
    </Button>
  );
  switch (message.state) {
    case "failed":
      return (
        <div className={styles.failed} role="alert">
          <CircleAlert aria-hidden />
          <p>{message.error}</p>
          {further}
          {again}
        </div>
      );
    case "cut":
      return (
        <Note text="The page was closed while this was being written.">
          {further}
          {again}
        </Note>
      );
    case "stopped":
      return <Note text="You stopped here.">{further}</Note>;
    case "full":
      return <Note text="It has as many tokens as it may have.">{further}</Note>;
    default:
      return null;
  }
}

function Note({ text, children }: { text: string; children: ReactNode }) {
  return (
    <div className={styles.note}>
      <span>{text}</span>
      {children}
    </div>
  );
}

interface ActionsProps {
  shown: Shown;
  isShown?: boolean;
  children: ReactNode;
}

function Actions({ shown: { message, siblings }, isShown = false, children }: ActionsProps) {
  const at = siblings.indexOf(message.id);
  return (
    <div className={styles.actions} data-shown={isShown || siblings.length > 1 || undefined}>
      {siblings.length > 1 && (
        <div className={styles.branches} role="group" aria-label="Branches">
          <IconButton
            size="s"
            label="Branch before"
            icon={<ChevronLeft />}
            disabled={at === 0}
            onClick={() => chat.choose(message.conversation, siblings[at - 1]!)}
          />
          <span>
            {at + 1}/{siblings.length}
          </span>
          <IconButton
            size="s"
            label="Branch after"
            icon={<ChevronRight />}
            disabled={at === siblings.length - 1}
            onClick={() => chat.choose(message.conversation, siblings[at + 1]!)}
          />
        </div>
      )}
      {children}
    </div>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // not whole yet, or not JSON at all
  }
}
